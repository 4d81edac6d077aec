// Hiding paths and making them read-only, after all of the user's mounts and before any of the user's code
// (R12).
#include "runtime/init/context.h"
#include "runtime/init/path.h"

namespace capsule::init {
namespace {

// Not there for us: nothing to hide.
bool is_absent(long err) {
  return err == -raw::kENOENT || err == -raw::kEACCES || err == -raw::kENOTDIR;
}

// The host's /dev/null, checked, as the cover of masked files: taken from the container it could be anything
// (CVE-2025-31133, R9).
int host_null(Context& ctx) {
  if (ctx.null >= 0) return ctx.null;
  const long fd = raw::openat(raw::kAtFdcwd, "/dev/null", raw::kOPath | raw::kONofollow);
  raw::Stat info{};
  const bool is_null = fd >= 0 && raw::fstat(static_cast<int>(fd), &info) == 0 &&
                       (info.st_mode & raw::kSIfmt) == raw::kSIfchr && info.st_rdev == raw::make_device(1, 3);
  if (!is_null) {
    fail_with(ctx, Problem::not_dev_null, "openat", fd < 0 ? fd : 0, "/dev/null");
    if (fd >= 0) raw::close(static_cast<int>(fd));
    return -1;
  }
  ctx.null = static_cast<int>(fd);
  return ctx.null;
}

int clone_of(Context& ctx, int fd, const char* name) {
  const long tree = raw::open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0) fail(ctx, "open_tree", tree, name);
  return static_cast<int>(tree < 0 ? -1 : tree);
}

// An empty directory that nothing can be written to.
int make_empty_directory(Context& ctx, plan::Text label) {
  const long fs = raw::fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (fs < 0) {
    fail(ctx, "fsopen", fs, "tmpfs");
    return -1;
  }
  const int context = static_cast<int>(fs);
  raw::fsconfig(context, FSCONFIG_SET_STRING, "nr_blocks", "1", 0);
  raw::fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
  long mount =
      label.size == 0 ? 0 : raw::fsconfig(context, FSCONFIG_SET_STRING, "context", text(ctx, label), 0);
  if (mount == 0) mount = raw::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (mount == 0) {
    mount = raw::fsmount(context, FSMOUNT_CLOEXEC,
                         MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  raw::close(context);
  if (mount < 0) fail(ctx, "fsmount", mount, "tmpfs");
  return static_cast<int>(mount < 0 ? -1 : mount);
}

bool mask_directory(Context& ctx, int target, const char* name, plan::Text label) {
  if (ctx.mask_tmpfs < 0) {
    ctx.mask_tmpfs = make_empty_directory(ctx, label);
    return ctx.mask_tmpfs >= 0 && attach(ctx, ctx.mask_tmpfs, target, name);
  }
  const int cover = clone_of(ctx, ctx.mask_tmpfs, name);
  if (cover < 0) return false;
  const bool attached = attach(ctx, cover, target, name);
  raw::close(cover);
  return attached;
}

bool mask_file(Context& ctx, int target, const char* name) {
  const int null = host_null(ctx);
  const int cover = null < 0 ? -1 : clone_of(ctx, null, name);
  if (cover < 0) return false;
  const bool attached = attach(ctx, cover, target, name);
  raw::close(cover);
  return attached;
}

}  // namespace

bool perform(Context& ctx, const plan::Mask& s) {
  const char* name = text(ctx, s.target);
  const long target = open_target(ctx, name, raw::kOPath);
  if (is_absent(target)) return true;
  if (target < 0) return fail(ctx, "openat2", target, name);
  raw::Stat info{};
  const long known = raw::fstat(static_cast<int>(target), &info);
  bool masked = false;
  if (known < 0) {
    fail(ctx, "fstat", known, name);
  } else if ((info.st_mode & raw::kSIfmt) == raw::kSIfdir) {
    masked = mask_directory(ctx, static_cast<int>(target), name, s.label);
  } else {
    masked = mask_file(ctx, static_cast<int>(target), name);
  }
  raw::close(static_cast<int>(target));
  return masked;
}

bool perform(Context& ctx, const plan::MakeReadonly& s) {
  const char* name = text(ctx, s.target);
  const long target = open_target(ctx, name, raw::kOPath);
  if (is_absent(target)) return true;
  if (target < 0) return fail(ctx, "openat2", target, name);

  const long tree =
      raw::open_tree(static_cast<int>(target), "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
  bool done = false;
  if (tree < 0) {
    fail(ctx, "open_tree", tree, name);
  } else {
    const plan::MountAttributes attributes{.recursive_set = MOUNT_ATTR_RDONLY};
    done = set_attributes(ctx, static_cast<int>(tree), attributes, name) &&
           attach(ctx, static_cast<int>(tree), static_cast<int>(target), name);
    raw::close(static_cast<int>(tree));
  }
  raw::close(static_cast<int>(target));
  return done;
}

}  // namespace capsule::init
