// P1 of the floor: from a fresh clone to the container's program.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <net/if.h>

#include "floor.h"

namespace floor {
namespace {

struct Mount {
  const char* type;
  const char* source;
  const char* target;
  unsigned long flags;
  const char* data;
};

constexpr unsigned long kNothingSpecial = MS_NOSUID | MS_NOEXEC | MS_NODEV;
constexpr Mount kBeforeNodes[] = {
    {"proc", "proc", "proc", 0, nullptr},
    {"tmpfs", "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"},
};
constexpr Mount kAfterNodes[] = {
    {"devpts", "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"tmpfs", "shm", "dev/shm", kNothingSpecial, "mode=1777,size=65536k"},
    {"mqueue", "mqueue", "dev/mqueue", kNothingSpecial, nullptr},
    {"sysfs", "sysfs", "sys", kNothingSpecial | MS_RDONLY, nullptr},
    {"cgroup2", "cgroup", "sys/fs/cgroup", kNothingSpecial | MS_RELATIME | MS_RDONLY, nullptr},
};

struct Node {
  const char* path;
  unsigned major, minor;
};
constexpr Node kNodes[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5},   {"dev/full", 1, 7},
                           {"dev/tty", 5, 0},  {"dev/random", 1, 8}, {"dev/urandom", 1, 9}};

struct Link {
  const char* target;
  const char* path;
};
constexpr Link kLinks[] = {{"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
                           {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                           {"/proc/kcore", "dev/core"},       {"pts/ptmx", "dev/ptmx"}};
constexpr const char* kDevDirectories[] = {"dev/pts", "dev/shm", "dev/mqueue"};
constexpr const char* kMaskedDirectories[] = {"proc/acpi", "proc/asound", "proc/scsi", "sys/firmware"};
constexpr const char* kMaskedFiles[] = {"proc/kcore",      "proc/keys",        "proc/latency_stats",
                                        "proc/timer_list", "proc/timer_stats", "proc/sched_debug"};
constexpr const char* kReadonlyPaths[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                          "proc/sysrq-trigger"};

template <size_t count>
void mount_each(const Mount (&mounts)[count]) {
  for (const Mount& mount : mounts) {
    must(mount.target, SYS_mount, mount.source, mount.target, mount.type, mount.flags, mount.data);
  }
}

// With the umask at 0, mknod sets the final mode: no chmod, no chown, no open to do them safely.
void fill_dev() {
  for (const Node& node : kNodes) {
    must(node.path, SYS_mknod, node.path, S_IFCHR | 0666, node.major << 8 | node.minor);
  }
  for (const Link& link : kLinks) {
    must(link.path, SYS_symlink, link.target, link.path);
  }
  for (const char* directory : kDevDirectories) {
    must(directory, SYS_mkdir, directory, 0755);
  }
}

// Many of these do not exist on a given kernel, which the specification says to ignore.
bool was_mounted(const char* path, long result) {
  if (result < 0 && result != -ENOENT) {
    give_up(path, result);
  }
  return result >= 0;
}

// For mounts without other flags: a remount sets them all anew.
void make_readonly(const char* path) {
  must(path, SYS_mount, nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
}

void mask_paths() {
  for (const char* path : kMaskedDirectories) {
    was_mounted(path, call(SYS_mount, "tmpfs", path, "tmpfs", MS_RDONLY, nullptr));
  }
  for (const char* path : kMaskedFiles) {
    was_mounted(path, call(SYS_mount, "dev/null", path, nullptr, MS_BIND, nullptr));
  }
  for (const char* path : kReadonlyPaths) {
    if (was_mounted(path, call(SYS_mount, path, path, nullptr, MS_BIND | MS_REC, nullptr))) {
      make_readonly(path);
    }
  }
}

void enter_root() {
  const Text root = Text(request.bundle, "/rootfs");
  must("make / private", SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  must("bind rootfs", SYS_mount, root.c_str(), root.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  must("chdir rootfs", SYS_chdir, root.c_str());
}

void leave_host() {
  make_readonly(".");
  must("pivot_root", SYS_pivot_root, ".", ".");
  must("detach the host's tree", SYS_umount2, ".", MNT_DETACH);
  must("chdir /", SYS_chdir, "/");
}

void bring_loopback_up() {
  const long socket = must("socket", SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq interface {};
  interface.ifr_name[0] = 'l';
  interface.ifr_name[1] = 'o';
  interface.ifr_flags = IFF_UP | IFF_RUNNING;
  must("lo up", SYS_ioctl, socket, SIOCSIFFLAGS, &interface);
}

// Before sysfs is mounted, which shows the devices of the mounting process's namespace.
void join_network() {
  const long file = must("network namespace", SYS_open, request.netns, O_RDONLY | O_CLOEXEC);
  must("join network namespace", SYS_setns, file, CLONE_NEWNET);
  call(SYS_close, file);
}

constexpr uint32_t kKeptCapabilities = 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE | 1U << CAP_AUDIT_WRITE;

void drop_privileges() {
  must("setgroups", SYS_setgroups, 0, nullptr);
  const uint64_t open_files[2] = {1024, 1024};
  must("rlimit", SYS_prlimit64, 0, RLIMIT_NOFILE, open_files, nullptr);
  for (unsigned capability = 0; capability < 64; ++capability) {
    const bool kept = capability < 32 && (kKeptCapabilities >> capability & 1) != 0;
    // No call drops several at once. EINVAL: beyond the last capability this kernel knows.
    if (!kept && call(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) == -EINVAL) {
      break;
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct data[2] = {{kKeptCapabilities, kKeptCapabilities, 0}, {0, 0, 0}};
  must("capset", SYS_capset, &header, data);
  must("no_new_privs", SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

[[noreturn]] void become(char* const* program) {
  static const char* const environment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", nullptr};
  must("close_range", SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  give_up("execve", call(SYS_execve, program[0], program, environment));
}

}  // namespace

void become_container() {
  call(SYS_umask, 0);
  if (request.netns != nullptr) {
    join_network();
  }
  enter_root();
  // Not in clone3: there the namespace's root would be P0's cgroup, because the move into ours happens later.
  must("cgroup namespace", SYS_unshare, CLONE_NEWCGROUP);
  mount_each(kBeforeNodes);
  fill_dev();
  mount_each(kAfterNodes);
  mask_paths();
  if (request.netns == nullptr) {
    bring_loopback_up();
  }
  leave_host();
  must("sethostname", SYS_sethostname, "bench", 5);
  call(SYS_setsid);
  must("session keyring", SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, request.id);
  drop_privileges();
  call(SYS_umask, 022);
  await(go);
  if (start_fifo >= 0) {
    char byte;
    wake(ready, kDone);
    must("wait for start", SYS_read, start_fifo, &byte, 1);
  }
  char payload[] = "/payload";
  char* const program[] = {payload, nullptr};
  become(program);
}

void become_exec_process() {
  must("join namespaces", SYS_setns, target,
       CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP);
  call(SYS_setsid);
  drop_privileges();
  become(request.program);
}

}  // namespace floor
