// The container's /dev: nodes and links, made relative to one descriptor of it (R11).
#include "runtime/init/context.h"
#include "runtime/init/path.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

// A descriptor of the directory that is to hold `target`, and its last component.
struct Place {
  int parent;
  const char* leaf;
  bool borrowed;
};

Place find_place(Context& ctx, const char* target) {
  const bool directly_in_dev = has_prefix(target, "/dev/") && find(target + 5, '/') == nullptr;
  if (directly_in_dev && ctx.dev >= 0) return {ctx.dev, target + 5, true};
  const char* leaf = nullptr;
  const int parent = make_parent(ctx, target, &leaf);
  return {parent, leaf, false};
}

void release(const Place& place) {
  if (!place.borrowed) raw::close(place.parent);
}

bool is_device(const raw::Stat& info, const plan::DeviceNode& s) {
  if ((info.st_mode & raw::kSIfmt) != (s.mode & raw::kSIfmt)) return false;
  if ((s.mode & raw::kSIfmt) == raw::kSIfifo) return true;
  return raw::device_major(info.st_rdev) == s.major && raw::device_minor(info.st_rdev) == s.minor;
}

// What stands at `leaf` now, checked to be the device asked for; -1 otherwise.
int open_checked(Context& ctx, const Place& place, const plan::DeviceNode& s) {
  const long fd = raw::openat(place.parent, place.leaf, raw::kOPath | raw::kONofollow);
  if (fd < 0) {
    fail(ctx, "openat", fd, text(ctx, s.target));
    return -1;
  }
  raw::Stat info{};
  if (raw::fstat(static_cast<int>(fd), &info) == 0 && is_device(info, s)) return static_cast<int>(fd);
  raw::close(static_cast<int>(fd));
  fail_with(ctx, Problem::wrong_device, "fstat", raw::kEEXIST, text(ctx, s.target));
  return -1;
}

bool make_node(Context& ctx, const Place& place, const plan::DeviceNode& s) {
  const long made = raw::mknodat(place.parent, place.leaf, s.mode, raw::make_device(s.major, s.minor));
  if (made < 0 && made != -raw::kEEXIST) return fail(ctx, "mknodat", made, text(ctx, s.target));
  const bool as_wanted = made == 0 && s.uid == 0 && s.gid == 0;
  if (as_wanted) return true;

  const int node = open_checked(ctx, place, s);
  if (node < 0) return false;
  long owned = 0;
  if (made == 0) owned = raw::fchownat(node, "", s.uid, s.gid, raw::kAtEmptyPath);
  raw::close(node);
  return owned < 0 ? fail(ctx, "fchownat", owned, text(ctx, s.target)) : true;
}

// The host's node under the same path, as a mount: the way for user namespaces, which may not make devices.
bool bind_node(Context& ctx, const Place& place, const plan::DeviceNode& s) {
  const long created = raw::openat(place.parent, place.leaf,
                                   raw::kOCreat | raw::kONofollow | raw::kOWronly | raw::kONonblock, 0666);
  if (created >= 0) raw::close(static_cast<int>(created));
  const long target = raw::openat(place.parent, place.leaf, raw::kOPath | raw::kONofollow);
  if (target < 0) return fail(ctx, "openat", target, text(ctx, s.target));

  const long tree = raw::open_tree(raw::kAtFdcwd, text(ctx, s.target), OPEN_TREE_CLONE);
  raw::Stat info{};
  bool done = false;
  if (tree < 0) {
    fail(ctx, "open_tree", tree, text(ctx, s.target));
  } else if (raw::fstat(static_cast<int>(tree), &info) < 0 || !is_device(info, s)) {
    fail_with(ctx, Problem::wrong_device, "fstat", raw::kENODEV, text(ctx, s.target));
  } else {
    done = attach(ctx, static_cast<int>(tree), static_cast<int>(target), text(ctx, s.target));
  }
  if (tree >= 0) raw::close(static_cast<int>(tree));
  raw::close(static_cast<int>(target));
  return done;
}

bool make_link(Context& ctx, const Place& place, const plan::Symlink& s) {
  long made = raw::symlinkat(text(ctx, s.value), place.parent, place.leaf);
  if (made == -raw::kEEXIST && s.replace == 0) return true;
  if (made == -raw::kEEXIST) {
    raw::unlinkat(place.parent, place.leaf, 0);
    made = raw::symlinkat(text(ctx, s.value), place.parent, place.leaf);
  }
  return made < 0 ? fail(ctx, "symlinkat", made, text(ctx, s.target)) : true;
}

}  // namespace

bool perform(Context& ctx, const plan::OpenDev&) {
  // An image whose /dev is a link would have us work on another directory, of the host at worst
  // (CVE-2026-41579, CVE-2026-47766).
  const long dev = open_target(ctx, "/dev", raw::kOPath | raw::kODirectory, Symlinks::none);
  if (dev == -raw::kENOENT) {
    ctx.dev = make_directories(ctx, "/dev");
    return ctx.dev >= 0;
  }
  if (dev == -raw::kELOOP) return fail_with(ctx, Problem::symlinked_target, "openat2", dev, "/dev");
  ctx.dev = static_cast<int>(dev);
  return dev < 0 ? fail(ctx, "openat2", dev, "/dev") : true;
}

bool perform(Context& ctx, const plan::DeviceNode& s) {
  const Place place = find_place(ctx, text(ctx, s.target));
  if (place.parent < 0) return false;
  const bool done = (s.flags & plan::kNodeBind) != 0 && (s.mode & raw::kSIfmt) != raw::kSIfifo
                        ? bind_node(ctx, place, s)
                        : make_node(ctx, place, s);
  release(place);
  return done;
}

bool perform(Context& ctx, const plan::Symlink& s) {
  const Place place = find_place(ctx, text(ctx, s.target));
  if (place.parent < 0) return false;
  const bool done = make_link(ctx, place, s);
  release(place);
  return done;
}

}  // namespace capsule::init
