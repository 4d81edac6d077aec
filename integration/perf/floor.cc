// P0 of the floor: the commands. See floor.h for what this program is.
//
//   floor --root DIR run|create --bundle DIR [--netns FILE] ID        runs /payload of DIR/rootfs
//   floor --root DIR start|state ID
//   floor --root DIR list
//   floor --root DIR kill ID SIGNAL                    always SIGKILL
//   floor --root DIR delete [--force] ID
//   floor --root DIR exec ID PROGRAM [ARGUMENT...]
//
// The container's cgroup is /sys/fs/cgroup/ID; floor_state.cc says where its state is.
#include "floor.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <poll.h>

namespace floor {

void wake(volatile uint32_t& word, Signal value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
  call(SYS_futex, &word, FUTEX_WAKE, 1, nullptr);
}

Signal await(volatile uint32_t& word) {
  for (;;) {
    const uint32_t value = __atomic_load_n(&word, __ATOMIC_ACQUIRE);
    if (value != kNotYet) {
      return static_cast<Signal>(value);
    }
    call(SYS_futex, &word, FUTEX_WAIT, kNotYet, nullptr);
  }
}

void give_up(const char* step, long error) {
  const Text message("floor: ", step, ": errno ", static_cast<uint64_t>(-error), "\n");
  call(SYS_write, 2, message.c_str(), message.size());
  if (init_pid > 0) {
    call(SYS_kill, init_pid, SIGKILL);  // from P0; in P1's own pid namespace there is nobody of that number
  }
  wake(ready, kFailed);
  bare::exit(1);
}

namespace {

alignas(16) char stack[16384];

Text cgroup_path() {
  return Text("/sys/fs/cgroup/", request.id);
}

int open_living_container() {
  const int pidfd = open_container(read_state());
  if (pidfd < 0) {
    give_up("container is not running", -ESRCH);
  }
  return pidfd;
}

void remove_cgroup() {
  const Text cgroup = cgroup_path();
  long result = call(SYS_rmdir, cgroup.c_str());
  // A dying process leaves its cgroup a moment after its pidfd became readable.
  for (int attempt = 0; result == -EBUSY && attempt < 10'000; ++attempt) {
    const long interval[2] = {0, 50'000};
    call(SYS_nanosleep, interval, nullptr);
    result = call(SYS_rmdir, cgroup.c_str());
  }
  if (result < 0 && result != -ENOENT) {
    give_up("remove cgroup", result);
  }
}

void remove_container() {
  remove_cgroup();
  call(SYS_unlink, state_path("/status").c_str());
  call(SYS_unlink, state_path("/start").c_str());
  must("remove state", SYS_rmdir, state_path("").c_str());
}

int await_exit(long pid) {
  int status = 0;
  must("wait4", SYS_wait4, pid, &status, __WALL, nullptr);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

long clone_into_cgroup(long cgroup, uint64_t flags, int* pidfd, void (*entry)()) {
  clone_args args{};
  args.flags = CLONE_VM | CLONE_INTO_CGROUP | flags;
  args.pidfd = reinterpret_cast<uint64_t>(pidfd);
  args.exit_signal = SIGCHLD;
  args.stack = reinterpret_cast<uint64_t>(stack);
  args.stack_size = sizeof stack;
  args.cgroup = static_cast<uint64_t>(cgroup);
  const long pid = bare::clone_on_stack(args, entry);
  if (pid < 0) {
    give_up("clone3", pid);
  }
  return pid;
}

long open_cgroup() {
  return must("cgroup", SYS_open, cgroup_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

long spawn_container(void (*entry)()) {
  // P1 shares this memory until it executes the payload, and nothing in the container may ptrace it.
  call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  must("create cgroup", SYS_mkdir, cgroup_path().c_str(), 0755);
  const long cgroup = open_cgroup();
  int pidfd = -1;
  const uint64_t network = request.netns == nullptr ? CLONE_NEWNET : 0;  // P1 joins the one of that path
  const long pid = clone_into_cgroup(
      cgroup, CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | network, &pidfd,
      entry);
  init_pid = static_cast<int>(pid);
  // P1 is mounting now and needs neither of these before it executes the payload.
  apply_device_program(static_cast<int>(cgroup));
  write_state({init_pid, read_identity(pidfd)});
  init_pid = 0;
  wake(go, kDone);
  return pid;
}

void make_state_directory() {
  must("state directory", SYS_mkdir, state_path("").c_str(), 0700);
}

int run_command() {
  make_state_directory();
  prepare_conversation();
  const long pid = spawn_container(become_for_run);
  converse(true);
  const int status = await_exit(pid);
  remove_container();
  return status;
}

int create_command() {
  make_state_directory();
  // P1 holds both ends: `start` then needs no blocking open, and finds ENXIO if P1 died.
  const Text fifo = state_path("/start");
  must("mkfifo", SYS_mknod, fifo.c_str(), S_IFIFO | 0600, 0);
  start_fifo = static_cast<int>(must("open fifo", SYS_open, fifo.c_str(), O_RDWR | O_CLOEXEC));
  spawn_container(become_container);
  return await(ready) == kDone ? 0 : 1;
}

int start_command() {
  open_living_container();
  const Text fifo = state_path("/start");
  const long file = must("open fifo", SYS_open, fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  must("write fifo", SYS_write, file, "", 1);
  must("unlink fifo", SYS_unlink, fifo.c_str());
  return 0;
}

int kill_command() {
  must("pidfd_send_signal", SYS_pidfd_send_signal, open_living_container(), SIGKILL, nullptr, 0);
  return 0;
}

int delete_command() {
  const int pidfd = open_container(read_state());
  if (pidfd >= 0) {
    if (!request.force) {
      give_up("container is running", -EBUSY);
    }
    must("pidfd_send_signal", SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    pollfd exited{pidfd, POLLIN, 0};
    must("wait for the container to exit", SYS_poll, &exited, 1, 5000);
  }
  remove_container();
  return 0;
}

int exec_command() {
  call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  target = open_living_container();
  must("join pid namespace", SYS_setns, target, CLONE_NEWPID);  // takes effect for children only
  stay_on_processor();
  prepare_conversation();
  const long pid = clone_into_cgroup(open_cgroup(), 0, nullptr, become_for_exec);
  converse(false);
  return await_exit(pid);
}

struct Command {
  const char* name;
  int (*run)();
};
constexpr Command kCommands[] = {
    {"run", run_command},   {"create", create_command}, {"start", start_command},   {"state", state_command},
    {"list", list_command}, {"kill", kill_command},     {"delete", delete_command}, {"exec", exec_command}};

// Options may stand anywhere before the id; what follows the id belongs to `exec` and `kill`.
const char* read_arguments(char** cursor) {
  const char* command = nullptr;
  for (; *cursor != nullptr; ++cursor) {
    if (bare::equal(*cursor, "--root")) {
      request.root = *++cursor;
    } else if (bare::equal(*cursor, "--bundle")) {
      request.bundle = *++cursor;
    } else if (bare::equal(*cursor, "--netns")) {
      request.netns = *++cursor;
    } else if (bare::equal(*cursor, "--force")) {
      request.force = true;
    } else if (command == nullptr) {
      command = *cursor;
    } else {
      request.id = *cursor;
      request.program = cursor + 1;
      break;
    }
  }
  return command;
}

}  // namespace
}  // namespace floor

extern "C" [[noreturn]] void bare_main(long* stack_at_entry) {
  using namespace floor;
  const char* name = read_arguments(reinterpret_cast<char**>(stack_at_entry + 2));
  for (const Command& command : kCommands) {
    if (name != nullptr && bare::equal(name, command.name)) {
      bare::exit(command.run());
    }
  }
  give_up("unknown command", -EINVAL);
}

BARE_ENTRY_POINT;
