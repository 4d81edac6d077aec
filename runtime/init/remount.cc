// What is mounted already: its attributes, its file system's parameters, its end.
#include <linux/stat.h>

#include "runtime/init/context.h"
#include "runtime/init/filesystem.h"
#include "runtime/init/path.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr int kMntDetach = 2;
constexpr int kUmountNofollow = 8;

// A file that is mounted on cannot be entered, as a directory can: it is named in its directory, which can.
long unmount_file(Context& ctx, const char* target) {
  const char* leaf = nullptr;
  const int parent = make_parent(ctx, target, &leaf);
  if (parent < 0) return -ctx.failure.err;
  long done = raw::fchdir(parent);
  if (done == 0) done = raw::umount2(leaf, kMntDetach | kUmountNofollow);
  raw::close(parent);
  return done;
}

long unmount_directory(int directory) {
  const long entered = raw::fchdir(directory);
  return entered < 0 ? entered : raw::umount2(".", kMntDetach);
}

// umount2(2) says EINVAL for this, and for mounts that a user namespace may not take off.
bool is_mount_root(int fd) {
  struct statx info {};
  return raw::call(__NR_statx, fd, "", AT_EMPTY_PATH, 0, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

bool perform(Context& ctx, const plan::SetAttributes& s) {
  const char* target_path = text(ctx, s.target);
  // Behind Pivot "/" is the container's root, and ctx.root is closed.
  const long target = ctx.root < 0 ? raw::openat(raw::kAtFdcwd, target_path, raw::kOPath | raw::kODirectory)
                                   : open_target(ctx, target_path, raw::kOPath);
  if (target < 0) return fail(ctx, "openat2", target, target_path);
  const bool set = set_attributes(ctx, static_cast<int>(target), s.attributes, target_path);
  raw::close(static_cast<int>(target));
  return set;
}

bool perform(Context& ctx, const plan::Reconfigure& s) {
  const char* target_path = text(ctx, s.target);
  const long target = open_target(ctx, target_path, raw::kOPath);
  if (target < 0) return fail(ctx, "openat2", target, target_path);
  const long fs = raw::fspick(static_cast<int>(target), "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
  raw::close(static_cast<int>(target));
  if (fs < 0) return fail(ctx, "fspick", fs, target_path);

  const int context = static_cast<int>(fs);
  bool done = set_parameters(ctx, context, target_path, s.options);
  if (done) {
    const long set = raw::fsconfig(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
    done = set < 0 ? fail_config(ctx, context, set, target_path, "") : true;
  }
  raw::close(context);
  return done;
}

bool perform(Context& ctx, const plan::Unmount& s) {
  const char* target_path = text(ctx, s.target);
  const long opened = open_target(ctx, target_path, raw::kOPath);
  if (opened < 0) return fail(ctx, "openat2", opened, target_path);
  const int target = static_cast<int>(opened);
  if (!is_mount_root(target)) {
    raw::close(target);
    return fail_with(ctx, Problem::not_a_mount_point, "statx", raw::kEINVAL, target_path);
  }
  raw::Stat info{};
  const bool is_directory = raw::fstat(target, &info) == 0 && (info.st_mode & raw::kSIfmt) == raw::kSIfdir;
  const long done = is_directory ? unmount_directory(target) : unmount_file(ctx, target_path);
  raw::close(target);
  return done < 0 ? fail(ctx, "umount2", done, target_path) : true;
}

}  // namespace capsule::init
