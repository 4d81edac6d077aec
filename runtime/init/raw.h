// System calls without a C library: the number, up to six arguments, and the kernel's answer (a value, or
// -errno).
//
// One thin function per call that init makes, named like its man page, so that a reader of the step files
// sees only intent.
#pragma once

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/kernel_abi.h"

namespace capsule::init::raw {

#if defined(__x86_64__)
inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "capsule-init knows the system call convention of x86-64 and aarch64"
#endif

template <class T>
inline long word(T* pointer) {
  return reinterpret_cast<long>(pointer);
}
template <class T>
inline long word(T number) {
  return static_cast<long>(number);
}
inline long word(decltype(nullptr)) {
  return 0;
}

template <class... A>
inline long call(long number, A... arguments) {
  const long a[6] = {word(arguments)...};
  return call6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
inline long call(long number) {
  return call6(number, 0, 0, 0, 0, 0, 0);
}

// ---- errno values and flags that the kernel's headers spell only for C libraries
inline constexpr int kENOENT = 2, kESRCH = 3, kEINTR = 4, kEAGAIN = 11, kEACCES = 13, kEBUSY = 16,
                     kEEXIST = 17, kENOTDIR = 20, kEISDIR = 21, kEINVAL = 22, kENOTTY = 25, kEPERM = 1,
                     kEROFS = 30, kELOOP = 40, kENOSYS = 38, kENAMETOOLONG = 36, kETIMEDOUT = 110,
                     kENODEV = 19, kERANGE = 34;

#if defined(__aarch64__)
inline constexpr int kODirectory = 040000, kONofollow = 0100000;
#else
inline constexpr int kODirectory = 0200000, kONofollow = 0400000;
#endif
inline constexpr int kORdonly = 0, kOWronly = 1, kORdwr = 2, kOCreat = 0100, kOExcl = 0200, kONoctty = 0400,
                     kONonblock = 04000, kOCloexec = 02000000, kOPath = 010000000;
inline constexpr int kAtFdcwd = -100, kAtEmptyPath = 0x1000, kAtSymlinkNofollow = 0x100, kAtEaccess = 0x200,
                     kAtRecursive = 0x8000;
inline constexpr unsigned kSIfmt = 0170000, kSIfdir = 0040000, kSIfchr = 0020000, kSIfreg = 0100000,
                          kSIflnk = 0120000, kSIfifo = 0010000, kSIfsock = 0140000;

#if defined(__x86_64__)
struct Stat {  // struct stat of <asm/stat.h>
  unsigned long st_dev, st_ino, st_nlink;
  unsigned st_mode, st_uid, st_gid, pad0;
  unsigned long st_rdev;
  long st_size, st_blksize, st_blocks;
  unsigned long times[6];
  long unused[3];
};
#else
struct Stat {
  unsigned long st_dev, st_ino;
  unsigned st_mode, st_nlink, st_uid, st_gid;
  unsigned long st_rdev, pad1;
  long st_size;
  int st_blksize, pad2;
  long st_blocks;
  unsigned long times[6];
  unsigned unused[2];
};
#endif
struct Statfs {
  long f_type, rest[15];
};
struct PollFd {
  int fd;
  short events, revents;
};
struct Timespec {
  long seconds, nanoseconds;
};
struct Winsize {
  unsigned short rows, columns, x, y;
};
struct IoVec {
  const void* base;
  size_t size;
};
struct MsgHdr {
  void* name;
  int name_size;
  IoVec* parts;
  size_t part_count;
  void* control;
  size_t control_size;
  int flags;
};
struct FdControl {  // a cmsghdr with one descriptor
  size_t size;
  int level, type, fd, pad;
};

inline unsigned device_major(unsigned long dev) {
  return static_cast<unsigned>(((dev >> 8U) & 0xfffU) | ((dev >> 32U) & ~0xfffUL));
}
inline unsigned device_minor(unsigned long dev) {
  return static_cast<unsigned>((dev & 0xffU) | ((dev >> 12U) & ~0xffUL));
}
inline unsigned long make_device(unsigned major, unsigned minor) {
  return (minor & 0xffUL) | ((major & 0xfffUL) << 8U) | ((minor & ~0xffUL) << 12U) |
         ((static_cast<unsigned long>(major) & ~0xfffUL) << 32U);
}

// ---- files
inline long openat(int dir, const char* path, int flags, unsigned mode = 0) {
  return call(__NR_openat, dir, path, flags | kOCloexec, mode);
}
inline long openat2(int dir, const char* path, const open_how& how) {
  return call(__NR_openat2, dir, path, &how, sizeof(how));
}
inline long close(int fd) {
  return call(__NR_close, fd);
}
inline long read(int fd, void* buffer, size_t size) {
  return call(__NR_read, fd, buffer, size);
}
inline long write(int fd, const void* bytes, size_t size) {
  return call(__NR_write, fd, bytes, size);
}
#if defined(__x86_64__)
inline long fstatat(int dir, const char* path, Stat* out, int flags) {
  return call(__NR_newfstatat, dir, path, out, flags);
}
#else
inline long fstatat(int dir, const char* path, Stat* out, int flags) {
  return call(__NR_fstatat, dir, path, out, flags);
}
#endif
inline long fstat(int fd, Stat* out) {
  return call(__NR_fstat, fd, out);
}
inline long fstatfs(int fd, Statfs* out) {
  return call(__NR_fstatfs, fd, out);
}
inline long mkdirat(int dir, const char* path, unsigned mode) {
  return call(__NR_mkdirat, dir, path, mode);
}
inline long mknodat(int dir, const char* path, unsigned mode, unsigned long dev) {
  return call(__NR_mknodat, dir, path, mode, dev);
}
inline long symlinkat(const char* value, int dir, const char* path) {
  return call(__NR_symlinkat, value, dir, path);
}
inline long readlinkat(int dir, const char* path, char* buffer, size_t size) {
  return call(__NR_readlinkat, dir, path, buffer, size);
}
inline long unlinkat(int dir, const char* path, int flags) {
  return call(__NR_unlinkat, dir, path, flags);
}
inline long fchown(int fd, unsigned uid, unsigned gid) {
  return call(__NR_fchown, fd, uid, gid);
}
inline long fchownat(int dir, const char* path, unsigned uid, unsigned gid, int flags) {
  return call(__NR_fchownat, dir, path, uid, gid, flags);
}
inline long faccessat2(int dir, const char* path, int mode, int flags) {
  return call(__NR_faccessat2, dir, path, mode, flags);
}
inline long dup3(int from, int to, int flags) {
  return call(__NR_dup3, from, to, flags);
}
inline long close_range(unsigned first, unsigned last, unsigned flags) {
  return call(__NR_close_range, first, last, flags);
}
inline long pipe2(int* ends, int flags) {
  return call(__NR_pipe2, ends, flags);
}
inline long ioctl(int fd, unsigned long request, const void* argument) {
  return call(__NR_ioctl, fd, request, argument);
}
inline long chdir(const char* path) {
  return call(__NR_chdir, path);
}
inline long fchdir(int fd) {
  return call(__NR_fchdir, fd);
}
inline long chroot(const char* path) {
  return call(__NR_chroot, path);
}
inline long getcwd(char* buffer, size_t size) {
  return call(__NR_getcwd, buffer, size);
}
inline long umask(unsigned mask) {
  return call(__NR_umask, mask);
}
inline long mmap(void* at, size_t size, int protection, int flags, int fd, long offset) {
  return call6(__NR_mmap, word(at), word(size), protection, flags, fd, offset);
}

// ---- mounts
inline long fsopen(const char* type, unsigned flags) {
  return call(__NR_fsopen, type, flags);
}
inline long fsconfig(int fs, unsigned command, const char* key, const void* value, int aux) {
  return call(__NR_fsconfig, fs, command, key, value, aux);
}
inline long fspick(int dir, const char* path, unsigned flags) {
  return call(__NR_fspick, dir, path, flags);
}
inline long fsmount(int fs, unsigned flags, uint64_t attributes) {
  return call(__NR_fsmount, fs, flags, attributes);
}
inline long move_mount(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  return call(__NR_move_mount, from_dir, from, to_dir, to, flags);
}
inline long open_tree(int dir, const char* path, unsigned flags) {
  return call(__NR_open_tree, dir, path, flags | static_cast<unsigned>(kOCloexec));
}
inline long mount_setattr(int dir, const char* path, unsigned flags, const mount_attr& attr) {
  return call(__NR_mount_setattr, dir, path, flags, &attr, sizeof(attr));
}
inline long pivot_root(const char* new_root, const char* put_old) {
  return call(__NR_pivot_root, new_root, put_old);
}
inline long umount2(const char* path, int flags) {
  return call(__NR_umount2, path, flags);
}

// ---- namespaces and processes
inline long setns(int fd, int flags) {
  return call(__NR_setns, fd, flags);
}
inline long unshare(uint64_t flags) {
  return call(__NR_unshare, flags);
}
inline long prctl(
    int option, unsigned long a, unsigned long b = 0, unsigned long c = 0, unsigned long d = 0) {
  return call(__NR_prctl, option, a, b, c, d);
}
inline long getpid() {
  return call(__NR_getpid);
}
inline long setsid() {
  return call(__NR_setsid);
}
inline long waitid_pidfd(int pidfd, void* info, int options) {
  return call(__NR_waitid, 3 /* P_PIDFD */, pidfd, info, options, nullptr);
}
inline long pidfd_send_signal(int pidfd, int signal) {
  return call(__NR_pidfd_send_signal, pidfd, signal, nullptr, 0);
}
inline long execve(const char* path, const char* const* argv, const char* const* envp) {
  return call(__NR_execve, path, argv, envp);
}
inline long poll(PollFd* fds, unsigned count, const Timespec* timeout) {
  return call(__NR_ppoll, fds, count, timeout, nullptr, 0);
}
inline long clock_monotonic(Timespec* out) {
  return call(__NR_clock_gettime, 1, out);
}
[[noreturn]] inline void exit(int code) {
  for (;;)
    call(__NR_exit_group, code);
}

// ---- identity
inline long setgroups(size_t count, const uint32_t* groups) {
  return call(__NR_setgroups, count, groups);
}
inline long setresgid(uint32_t r, uint32_t e, uint32_t s) {
  return call(__NR_setresgid, r, e, s);
}
inline long setresuid(uint32_t r, uint32_t e, uint32_t s) {
  return call(__NR_setresuid, r, e, s);
}
inline long capset(__user_cap_header_struct* header, const __user_cap_data_struct* data) {
  return call(__NR_capset, header, data);
}
inline long capget(__user_cap_header_struct* header, __user_cap_data_struct* data) {
  return call(__NR_capget, header, data);
}
inline long seccomp(unsigned operation, unsigned flags, const sock_fprog* program) {
  return call(__NR_seccomp, operation, flags, program);
}
inline long keyctl_join(const char* name) {
  return call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}

// ---- sockets
inline long socket(int family, int type, int protocol) {
  return call(__NR_socket, family, type, protocol);
}
inline long accept4(int fd, int flags) {
  return call(__NR_accept4, fd, nullptr, nullptr, flags);
}
inline long recv(int fd, void* buffer, size_t size) {
  return call(__NR_recvfrom, fd, buffer, size, 0, nullptr, nullptr);
}
inline constexpr int kMsgPeek = 2;
inline long peek(int fd, void* buffer, size_t size) {  // recv that leaves the packet where it is
  return call(__NR_recvfrom, fd, buffer, size, kMsgPeek, nullptr, nullptr);
}
inline constexpr int kMsgNosignal = 0x4000;
inline long sendmsg(int fd, const MsgHdr* message) {
  return call(__NR_sendmsg, fd, message, kMsgNosignal);
}
inline long send(int fd, const void* bytes, size_t size) {
  return call(__NR_sendto, fd, bytes, size, kMsgNosignal, nullptr, 0);
}

}  // namespace capsule::init::raw
