// The sealed floor: what is left of a start when the launcher costs nothing, but capsule's two decisions
// about it stand. P1 is another program, capsule-init, executed from a sealed memfd (CVE-2019-5736), and it
// says `ready` and waits for `start`.
//
// DIR/init and DIR/plan of the bundle are what capsule gave its init for a container of that kind, recorded
// by recording.py, which wrote the numbers below into the plan's table of descriptors. Reading the two files
// takes some microseconds that capsule, which has them in memory, does not need.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "floor.h"

namespace floor {
namespace {

constexpr int kSync = 40, kRoot = 41, kJoined = 42, kPlan = 43;
constexpr unsigned kExecutable = 0x10;           // MFD_EXEC
constexpr unsigned char kReady = 8, kStart = 9;  // protocol.h: Line
constexpr long kFrame = 8;

int ours = -1, inits = -1;

long seal(const char* name, unsigned how) {
  const long file = must(name, SYS_open, Text(request.bundle, name).c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  must(name, SYS_fstat, file, &info);
  const long bytes =
      must(name, SYS_mmap, nullptr, info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  const long memory = must(name, SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | how);
  must(name, SYS_write, memory, bytes, info.st_size);
  must(name, SYS_fcntl, memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return memory;
}

// Inherited by init, unlike what else is open.
void donate(const char* what, long file, int number) {
  must(what, SYS_dup3, file, number, 0);
}

void execute_init() {
  const long init = seal("/init", kExecutable);
  must("fchmod", SYS_fchmod, init, 0111);
  donate("plan", seal("/plan", 0), kPlan);
  donate("socket", inits, kSync);
  static const char* const arguments[] = {"capsule-init", "43", "40", nullptr};
  static const char* const environment[] = {nullptr};
  give_up("execveat", call(SYS_execveat, init, "", arguments, environment, AT_EMPTY_PATH));
}

void become_sealed_container() {
  const Text root(request.bundle, "/rootfs");
  const long tree = must("open_tree", SYS_open_tree, AT_FDCWD, root.c_str(),
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  const mount_attr slave{0, 0, MS_SLAVE, 0};
  must("mount_setattr", SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof slave);
  donate("rootfs", tree, kRoot);
  if (request.netns != nullptr) {
    donate("netns", must("netns", SYS_open, request.netns, O_RDONLY | O_CLOEXEC), kJoined);
  }
  execute_init();
}

void become_sealed_exec_process() {
  donate("pidfd", target, kJoined);
  execute_init();
}

void expect(const char* what, unsigned char line, long size) {
  unsigned char packet[1024] = {};
  const long got = must(what, SYS_read, ours, packet, sizeof packet);
  if (got != size || packet[0] != line) {
    give_up(what, -EPROTO);
  }
}

}  // namespace

void (*const become_for_run)() = become_sealed_container;
void (*const become_for_exec)() = become_sealed_exec_process;

void stay_on_processor() {
  unsigned processor = 0;
  must("getcpu", SYS_getcpu, &processor, nullptr, nullptr);
  unsigned long mask[16] = {};
  constexpr unsigned kBits = 8 * sizeof(mask[0]);
  mask[processor / kBits % 16] = 1UL << processor % kBits;
  call(SYS_sched_setaffinity, 0, sizeof mask, mask);
}

void prepare_conversation() {
  int ends[2];
  must("socketpair", SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  ours = ends[0];
  inits = ends[1];
}

void converse(bool awaits_ready) {
  call(SYS_close, inits);
  if (awaits_ready) {
    expect("ready", kReady, kFrame);
  }
  const unsigned char start[kFrame] = {kStart};
  must("start", SYS_write, ours, start, sizeof start);
  expect("end of file", 0, 0);
}

}  // namespace floor
