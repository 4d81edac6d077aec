// One Result-returning wrapper per system call, named like its man page. EINTR is handled here and nowhere
// else, and every descriptor made here is O_CLOEXEC. Callers add purpose; the call and its object are already
// in the error.
//
// Calls that change namespaces, mounts or processes are declared here and used only where house rules say:
// inside a container only runtime/init (which has its own raw calls), outside only cgroups/, namespaces/ and
// runtime/launch.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/result.h"

struct pollfd;

namespace capsule::sys {

// ---- files
Result<UniqueFd> openat(FdRef dir, const char* path, int flags, mode_t mode = 0);
Result<UniqueFd> openat2(FdRef dir, const char* path, const open_how& how);
Result<std::size_t> read(FdRef fd, std::span<char> buffer);
Status write_all(FdRef fd, std::string_view bytes);
Result<struct stat> fstat(FdRef fd);
Result<struct stat> fstatat(FdRef dir, const char* path, int flags);
Result<long> fstatfs_type(FdRef fd);  // f_type of statfs(2)
Status mkdirat(FdRef dir, const char* path, mode_t mode);
Status unlinkat(FdRef dir, const char* path, int flags);
Status renameat(FdRef from_dir, const char* from, FdRef to_dir, const char* to);
Status linkat(FdRef from_dir, const char* from, FdRef to_dir, const char* to, int flags);
Status fchmod(FdRef fd, mode_t mode);
Status fchownat(FdRef dir, const char* path, uid_t uid, gid_t gid, int flags);
// getdents64(2), whose name is a macro of musl's: some entries, each a struct dirent; 0: all have been read.
Result<std::size_t> read_entries(FdRef dir, std::span<char> buffer);
Result<std::string> readlinkat(FdRef dir, const char* path);
Status flock(FdRef fd, int operation);
Result<off_t> lseek(FdRef fd, off_t offset, int whence);
Result<UniqueFd> memfd_create(const char* name, unsigned flags);
Status add_seals(FdRef fd, int seals);
Result<UniqueFd> dup_above(FdRef fd, int lowest);  // F_DUPFD_CLOEXEC
Status close_range(unsigned first, unsigned last, unsigned flags);
Status ioctl_pointer(FdRef fd, unsigned long request, void* argument, std::string_view name);

// ---- processes
Result<UniqueFd> pidfd_open(pid_t pid);
Status pidfd_send_signal(FdRef pidfd, int signal);
struct ExitStatus {
  int code;  // exit code, or signal number when `signaled`
  bool signaled;
};
Result<ExitStatus> wait_exited(FdRef pidfd);  // waitid(P_PIDFD, WEXITED); only the parent may
// Waits until one of fds is ready. `timeout_ms` -1: for ever. Returns the number ready, 0 on timeout.
Result<int> poll(std::span<struct ::pollfd> fds, int timeout_ms);
Status prctl(int option, unsigned long argument, std::string_view name);

// The kernel's masks, bit N-1 for signal N: the C library's leave out those from 32 on that it keeps for
// itself, and people send them to containers.
using SignalMask = std::uint64_t;
Result<SignalMask> set_signal_mask(SignalMask mask);  // what is blocked from now on; returns what was before
Result<UniqueFd> signalfd(SignalMask mask);

// ---- namespaces and mounts
Status setns(FdRef ns, int type, std::string_view object);
Status unshare(int flags, std::string_view object);
Result<UniqueFd> open_tree(FdRef dir, const char* path, unsigned flags);
// A context of a new file system, its parameters (`value` nullptr: a flag) and commands, and its detached
// mount.
Result<UniqueFd> fsopen(const char* type);
Status fsconfig(FdRef context, unsigned command, const char* key, const char* value, std::string_view object);
Result<UniqueFd> fsmount(FdRef context, std::uint64_t attributes, std::string_view object);
Status mount_setattr(FdRef mount, unsigned flags, const mount_attr& attr, std::string_view object);

// ---- sockets
// Does seccomp(2) take these SECCOMP_FILTER_FLAG_*? Asked without a filter, which changes nothing.
bool seccomp_takes_flags(unsigned flags);

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};
Result<SocketPair> socketpair_seqpacket();
Result<UniqueFd> unix_socket(int type);
// Connecting to somebody who does not accept, and sending to somebody who does not read, fail with EAGAIN
// then.
Status set_send_timeout(FdRef socket, int seconds);
// Paths longer than sun_path go through /proc/self/fd/<dir>; `name` is the entry below `dir`.
Status unix_bind(FdRef socket, FdRef dir, std::string_view name);
Status unix_connect(FdRef socket, FdRef dir, std::string_view name);
Status unix_connect_path(FdRef socket, const std::string& path);
Status listen(FdRef socket, int backlog);
// Sends one message with at most one descriptor (fd < 0: none). SIGPIPE is suppressed.
Status send_with_fd(FdRef socket, std::span<const char> bytes, int fd);
Result<std::size_t> recv(FdRef socket, std::span<char> buffer);  // 0: end of file
// To the routing part of the kernel of the calling thread's network namespace, and to nobody else.
Result<UniqueFd> netlink_socket();

// ---- others
long bpf(int command, void* attributes, unsigned size);  // raw: returns -errno, since callers probe with it
}  // namespace capsule::sys
