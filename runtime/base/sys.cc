#include "runtime/base/sys.h"

#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <poll.h>

#include "runtime/base/text.h"

namespace capsule::sys {
namespace {

template <class Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

template <class Call>
Status status_of(std::string_view name, std::string_view object, Call call) {
  if (retry(call) < 0) return Error::system(name, errno, object);
  return {};
}

template <class Call>
Result<UniqueFd> fd_of(std::string_view name, std::string_view object, Call call) {
  const auto fd = retry(call);
  if (fd < 0) return Error::system(name, errno, object);
  return UniqueFd(static_cast<int>(fd));
}

Result<sockaddr_un> unix_address(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Error::system("connect", ENAMETOOLONG, path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string through_proc(FdRef dir, std::string_view name) {
  return cat({"/proc/self/fd/", std::to_string(dir.get()), "/", name});
}

}  // namespace

Result<UniqueFd> openat(FdRef dir, const char* path, int flags, mode_t mode) {
  return fd_of("openat", path, [&] { return ::openat(dir.get(), path, flags | O_CLOEXEC, mode); });
}

Result<UniqueFd> openat2(FdRef dir, const char* path, const open_how& how) {
  open_how with_cloexec = how;
  with_cloexec.flags |= O_CLOEXEC;
  // EAGAIN: a rename raced with a RESOLVE_IN_ROOT or RESOLVE_BENEATH walk (openat2(2)); trying again is the
  // documented answer.
  constexpr int kRaces = 32;
  for (int attempt = 0;; ++attempt) {
    const long fd =
        retry([&] { return ::syscall(SYS_openat2, dir.get(), path, &with_cloexec, sizeof(with_cloexec)); });
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN || attempt == kRaces) return Error::system("openat2", errno, path);
  }
}

Result<std::size_t> read(FdRef fd, std::span<char> buffer) {
  const ssize_t got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
  if (got < 0) return Error::system("read", errno);
  return static_cast<std::size_t>(got);
}

Status write_all(FdRef fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = retry([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
    if (wrote < 0) return Error::system("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<struct stat> fstat(FdRef fd) {
  struct stat info {};
  if (::fstat(fd.get(), &info) < 0) return Error::system("fstat", errno);
  return info;
}

Result<struct stat> fstatat(FdRef dir, const char* path, int flags) {
  struct stat info {};
  if (::fstatat(dir.get(), path, &info, flags) < 0) return Error::system("fstatat", errno, path);
  return info;
}

Result<long> fstatfs_type(FdRef fd) {
  struct statfs info {};
  if (retry([&] { return ::fstatfs(fd.get(), &info); }) < 0) return Error::system("fstatfs", errno);
  return static_cast<long>(info.f_type);
}

Status mkdirat(FdRef dir, const char* path, mode_t mode) {
  return status_of("mkdirat", path, [&] { return ::mkdirat(dir.get(), path, mode); });
}

Status unlinkat(FdRef dir, const char* path, int flags) {
  return status_of("unlinkat", path, [&] { return ::unlinkat(dir.get(), path, flags); });
}

Status renameat(FdRef from_dir, const char* from, FdRef to_dir, const char* to) {
  return status_of("renameat", to, [&] { return ::renameat(from_dir.get(), from, to_dir.get(), to); });
}

Status linkat(FdRef from_dir, const char* from, FdRef to_dir, const char* to, int flags) {
  return status_of("linkat", to, [&] { return ::linkat(from_dir.get(), from, to_dir.get(), to, flags); });
}

Status fchmod(FdRef fd, mode_t mode) {
  return status_of("fchmod", {}, [&] { return ::fchmod(fd.get(), mode); });
}

Status fchownat(FdRef dir, const char* path, uid_t uid, gid_t gid, int flags) {
  return status_of("fchownat", path, [&] { return ::fchownat(dir.get(), path, uid, gid, flags); });
}

Result<std::size_t> read_entries(FdRef dir, std::span<char> buffer) {
  const long got = retry([&] { return ::syscall(SYS_getdents64, dir.get(), buffer.data(), buffer.size()); });
  if (got < 0) return Error::system("getdents64", errno);
  return static_cast<std::size_t>(got);
}

Result<std::string> readlinkat(FdRef dir, const char* path) {
  std::array<char, PATH_MAX> buffer;  // NOLINT(cppcoreguidelines-init-variables): filled by readlinkat
  const ssize_t size = ::readlinkat(dir.get(), path, buffer.data(), buffer.size());
  if (size < 0) return Error::system("readlinkat", errno, path);
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

Status flock(FdRef fd, int operation) {
  return status_of("flock", {}, [&] { return ::flock(fd.get(), operation); });
}

Result<off_t> lseek(FdRef fd, off_t offset, int whence) {
  const off_t position = ::lseek(fd.get(), offset, whence);
  if (position < 0) return Error::system("lseek", errno);
  return position;
}

Result<UniqueFd> memfd_create(const char* name, unsigned flags) {
  return fd_of("memfd_create", name, [&] { return ::memfd_create(name, flags | MFD_CLOEXEC); });
}

Status add_seals(FdRef fd, int seals) {
  return status_of("fcntl", "F_ADD_SEALS", [&] { return ::fcntl(fd.get(), F_ADD_SEALS, seals); });
}

Result<UniqueFd> dup_above(FdRef fd, int lowest) {
  return fd_of("fcntl", "F_DUPFD_CLOEXEC", [&] { return ::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest); });
}

Status close_range(unsigned first, unsigned last, unsigned flags) {
  return status_of("close_range", {},
                   [&] { return static_cast<int>(::syscall(SYS_close_range, first, last, flags)); });
}

Status ioctl_pointer(FdRef fd, unsigned long request, void* argument, std::string_view name) {
  return status_of("ioctl", name,
                   [&] { return static_cast<int>(::syscall(SYS_ioctl, fd.get(), request, argument)); });
}

Result<UniqueFd> pidfd_open(pid_t pid) {
  return fd_of("pidfd_open", std::to_string(pid), [&] { return ::syscall(SYS_pidfd_open, pid, 0); });
}

Status pidfd_send_signal(FdRef pidfd, int signal) {
  return status_of("pidfd_send_signal", {},
                   [&] { return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0); });
}

Result<ExitStatus> wait_exited(FdRef pidfd) {
  siginfo_t info{};
  const int got =
      retry([&] { return ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL); });
  if (got < 0) return Error::system("waitid", errno);
  return ExitStatus{info.si_status, info.si_code != CLD_EXITED};
}

Result<int> poll(std::span<struct ::pollfd> fds, int timeout_ms) {
  const int ready = retry([&] { return ::poll(fds.data(), fds.size(), timeout_ms); });
  if (ready < 0) return Error::system("poll", errno);
  return ready;
}

Result<SignalMask> set_signal_mask(SignalMask mask) {
  SignalMask before = 0;
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof(mask)) < 0)
    return Error::system("rt_sigprocmask", errno);
  return before;
}

Result<UniqueFd> signalfd(SignalMask mask) {
  return fd_of("signalfd", {}, [&] {
    return static_cast<int>(::syscall(SYS_signalfd4, -1, &mask, sizeof(mask), SFD_CLOEXEC));
  });
}

Status prctl(int option, unsigned long argument, std::string_view name) {
  return status_of("prctl", name, [&] { return ::prctl(option, argument, 0, 0, 0); });
}

Status setns(FdRef ns, int type, std::string_view object) {
  return status_of("setns", object, [&] { return ::syscall(SYS_setns, ns.get(), type); });
}

Status unshare(int flags, std::string_view object) {
  return status_of("unshare", object, [&] { return ::syscall(SYS_unshare, flags); });
}

Result<UniqueFd> open_tree(FdRef dir, const char* path, unsigned flags) {
  return fd_of("open_tree", path,
               [&] { return ::syscall(SYS_open_tree, dir.get(), path, flags | OPEN_TREE_CLOEXEC); });
}

Result<UniqueFd> fsopen(const char* type) {
  return fd_of("fsopen", type, [&] { return ::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); });
}

Status fsconfig(
    FdRef context, unsigned command, const char* key, const char* value, std::string_view object) {
  return status_of("fsconfig", object,
                   [&] { return ::syscall(SYS_fsconfig, context.get(), command, key, value, 0); });
}

Result<UniqueFd> fsmount(FdRef context, std::uint64_t attributes, std::string_view object) {
  return fd_of("fsmount", object,
               [&] { return ::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes); });
}

Status mount_setattr(FdRef mount, unsigned flags, const mount_attr& attr, std::string_view object) {
  return status_of("mount_setattr", object, [&] {
    return ::syscall(SYS_mount_setattr, mount.get(), "", flags | AT_EMPTY_PATH, &attr, sizeof(attr));
  });
}

Result<SocketPair> socketpair_seqpacket() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) < 0)
    return Error::system("socketpair", errno);
  return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

bool seccomp_takes_flags(unsigned flags) {
  // The flags are looked at before the filter is; EFAULT is about the filter that is not there.
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) == 0 ||
         (errno != EINVAL && errno != ENOSYS);
}

Result<UniqueFd> unix_socket(int type) {
  return fd_of("socket", "AF_UNIX", [&] { return ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0); });
}

Status set_send_timeout(FdRef socket, int seconds) {
  const timeval timeout{seconds, 0};
  return status_of("setsockopt", "SO_SNDTIMEO", [&] {
    return ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  });
}

Status unix_bind(FdRef socket, FdRef dir, std::string_view name) {
  const sockaddr_un address = TRY(unix_address(through_proc(dir, name)));
  return status_of("bind", name, [&] {
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  });
}

Status unix_connect_path(FdRef socket, const std::string& path) {
  const sockaddr_un address = TRY(unix_address(path));
  return status_of("connect", path, [&] {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  });
}

Status unix_connect(FdRef socket, FdRef dir, std::string_view name) {
  return unix_connect_path(socket, through_proc(dir, name));
}

Status listen(FdRef socket, int backlog) {
  return status_of("listen", {}, [&] { return ::listen(socket.get(), backlog); });
}

Status send_with_fd(FdRef socket, std::span<const char> bytes, int fd) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  return status_of("sendmsg", {}, [&] { return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL); });
}

Result<std::size_t> recv(FdRef socket, std::span<char> buffer) {
  const ssize_t got = retry([&] { return ::recv(socket.get(), buffer.data(), buffer.size(), 0); });
  if (got < 0) return Error::system("recv", errno);
  return static_cast<std::size_t>(got);
}

Result<UniqueFd> netlink_socket() {
  UniqueFd socket = TRY(fd_of("socket", "NETLINK_ROUTE",
                              [] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); }));
  // Connected to the kernel (address 0), because anybody who rules the namespace could write to it otherwise.
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  TRY(status_of("connect", "NETLINK_ROUTE", [&] {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel));
  }));
  const int on = 1;  // reasons in words; a kernel before 4.12 has none to give
  (void)::setsockopt(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  // Lists what was asked for alone; a kernel before 4.20 lists everything.
  (void)::setsockopt(socket.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
  return socket;
}

long bpf(int command, void* attributes, unsigned size) {
  const long result = retry([&] { return ::syscall(SYS_bpf, command, attributes, size); });
  return result < 0 ? -errno : result;
}

}  // namespace capsule::sys
