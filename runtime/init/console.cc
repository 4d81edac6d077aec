// The terminal of the container, and its first three descriptors.
#include "runtime/init/context.h"
#include "runtime/init/path.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr unsigned long kTiocsptlck = 0x40045431, kTiocgptn = 0x80045430, kTiocgptpeer = 0x5441,
                        kTiocswinsz = 0x5414, kTiocsctty = 0x540e;

// The multiplexer of the container's own devpts and nothing that looks like it (CVE-2025-52565, R10).
bool is_ptmx(int fd) {
  raw::Statfs fs{};
  raw::Stat info{};
  return raw::fstatfs(fd, &fs) == 0 && fs.f_type == abi::kDevptsSuperMagic && raw::fstat(fd, &info) == 0 &&
         info.st_ino == abi::kPtmxInode && info.st_rdev == raw::make_device(5, 2);
}

int open_master(Context& ctx) {
  const long fd = open_target(ctx, "/dev/pts/ptmx", raw::kORdwr | raw::kONoctty, Symlinks::none_at_end);
  if (fd < 0) {
    fail(ctx, "openat2", fd, "/dev/pts/ptmx");
    return -1;
  }
  if (is_ptmx(static_cast<int>(fd))) return static_cast<int>(fd);
  raw::close(static_cast<int>(fd));
  fail_with(ctx, Problem::not_a_pty, "fstat", 0, "/dev/pts/ptmx");
  return -1;
}

int open_slave(Context& ctx, int master) {
  const int unlock = 0;
  long done = raw::ioctl(master, kTiocsptlck, &unlock);
  if (done >= 0) {
    done = raw::ioctl(
        master, kTiocgptpeer,
        reinterpret_cast<const void*>(static_cast<long>(raw::kORdwr | raw::kONoctty | raw::kOCloexec)));
  }
  if (done < 0) fail(ctx, "ioctl TIOCGPTPEER", done, "/dev/pts/ptmx");
  return static_cast<int>(done < 0 ? -1 : done);
}

bool send_master(Context& ctx, int socket, int master) {
  unsigned number = 0;
  raw::ioctl(master, kTiocgptn, &number);
  Line<32> name;
  name.add("/dev/pts/").add_number(number);
  raw::IoVec part{name.c_str(), name.size()};
  raw::FdControl control{sizeof(raw::FdControl) - sizeof(int), 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, master,
                         0};
  const raw::MsgHdr message{nullptr, 0, &part, 1, &control, sizeof(control), 0};
  const long sent = raw::sendmsg(socket, &message);
  return sent < 0 ? fail(ctx, "sendmsg", sent, "console socket") : true;
}

bool mount_on_console(Context& ctx, int slave) {
  const int target =
      make_mount_target(ctx, "/dev/console", plan::kMountCreateTarget | plan::kMountNoSymlinks, false).fd;
  if (target < 0) return false;
  const long tree = raw::open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  const bool done = tree < 0 ? fail(ctx, "open_tree", tree, "/dev/console")
                             : attach(ctx, static_cast<int>(tree), target, "/dev/console");
  if (tree >= 0) raw::close(static_cast<int>(tree));
  raw::close(target);
  return done;
}

bool become_stdio(Context& ctx, int slave) {
  for (int fd = 0; fd < 3; ++fd) {
    const long done = raw::dup3(slave, fd, 0);
    if (done < 0) return fail(ctx, "dup3", done, "terminal");
  }
  const long done = raw::ioctl(0, kTiocsctty, nullptr);
  return done < 0 ? fail(ctx, "ioctl TIOCSCTTY", done, "terminal") : true;
}

bool use_slave(Context& ctx, const plan::Console& s, int master, int slave) {
  const raw::Winsize size{s.height, s.width, 0, 0};
  if (s.height != 0 && s.width != 0) raw::ioctl(master, kTiocswinsz, &size);
  raw::fchown(slave, s.uid, ~0U);  // an unmapped uid leaves root's; the terminal works all the same
  if (!send_master(ctx, ctx.plan.descriptor(s.slot), master)) return false;
  if (s.mount_console != 0 && !mount_on_console(ctx, slave)) return false;
  return become_stdio(ctx, slave);
}

// The host's /dev/null on a standard descriptor would be the only thing that still refers to a host mount.
bool reopen_null(Context& ctx, int fd) {
  const long own = raw::openat(raw::kAtFdcwd, "/dev/null", raw::kORdwr | raw::kONofollow | raw::kONoctty);
  if (own < 0) return true;  // an image without /dev/null keeps the host's
  raw::Stat info{};
  const bool is_null = raw::fstat(static_cast<int>(own), &info) == 0 &&
                       (info.st_mode & raw::kSIfmt) == raw::kSIfchr &&
                       info.st_rdev == raw::make_device(1, 3);  // CVE-2026-88265
  const long done = is_null ? raw::dup3(static_cast<int>(own), fd, 0) : 0;
  raw::close(static_cast<int>(own));
  return done < 0 ? fail(ctx, "dup3", done, "/dev/null") : true;
}

}  // namespace

bool perform(Context& ctx, const plan::Console& s) {
  if (ctx.root < 0)
    ctx.root = static_cast<int>(
        raw::openat(raw::kAtFdcwd, "/", raw::kOPath | raw::kODirectory));  // exec: we are inside already
  const int master = open_master(ctx);
  if (master < 0) return false;
  const int slave = open_slave(ctx, master);
  const bool done = slave >= 0 && use_slave(ctx, s, master, slave);
  if (slave >= 0) raw::close(slave);
  raw::close(master);
  return done;
}

bool perform(Context& ctx, const plan::Stdio& s) {
  for (int fd = 0; fd < 3; ++fd) {
    raw::Stat info{};
    if (raw::fstat(fd, &info) < 0) continue;  // closed by the caller: stays closed
    const unsigned type = info.st_mode & raw::kSIfmt;
    const bool is_null = type == raw::kSIfchr && info.st_rdev == raw::make_device(1, 3);
    if (is_null && !reopen_null(ctx, fd)) return false;
    const bool is_stream =
        type == raw::kSIfifo || type == raw::kSIfsock || (type == raw::kSIfchr && !is_null);
    // A stream of somebody else's, or in another user namespace, stays theirs: writing to it works without
    // owning it.
    if (is_stream && info.st_uid != s.uid) raw::fchown(fd, static_cast<unsigned>(s.uid), ~0U);
  }
  return true;
}

}  // namespace capsule::init
