#include "runtime/init/path.h"

#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr unsigned kMaxPath = 4096;

// One component of a path: [begin, end).
struct Component {
  const char* begin;
  const char* end;
};

Component next_component(const char* at) {
  while (*at == '/')
    ++at;
  const char* end = at;
  while (*end != '\0' && *end != '/')
    ++end;
  return {at, end};
}

long open_or_make(int parent, const char* name) {
  const long made = raw::mkdirat(parent, name, 0755);
  if (made < 0 && made != -raw::kEEXIST) return made;
  // Not through a link that somebody put there in between; a dangling one ends here with ELOOP or ENOTDIR.
  return raw::openat(parent, name, raw::kOPath | raw::kODirectory | raw::kONofollow);
}

// `*leaf` is set to the last component of `target`; what stands before it is returned as a path.
Line<kMaxPath> split_leaf(const char* target, const char** leaf) {
  const char* last = target;
  for (const char* at = target; *at != '\0'; ++at) {
    if (*at == '/' && at[1] != '\0') last = at;
  }
  *leaf = *last == '/' ? last + 1 : last;
  Line<kMaxPath> parent;
  parent.add("/").add(target, static_cast<size_t>(last - target));
  return parent;
}

// Where only the last component is missing, which is nearly always. -1: more is.
int make_last(const Context& ctx, const char* target) {
  const char* leaf = nullptr;
  const Line<kMaxPath> path = split_leaf(target, &leaf);
  if (!path.whole()) return -1;
  const long parent = open_target(ctx, path.c_str(), raw::kOPath | raw::kODirectory);
  if (parent < 0) return -1;
  const long made = open_or_make(static_cast<int>(parent), leaf);
  raw::close(static_cast<int>(parent));
  return static_cast<int>(made < 0 ? -1 : made);
}

// Walks down from what exists. `prefix` grows by one component at a time and is resolved inside the root each
// time, so links that exist are followed.
int walk_and_make(Context& ctx, const char* target) {
  Line<kMaxPath> prefix;
  long dir = open_target(ctx, "/", raw::kOPath | raw::kODirectory);
  for (Component c = next_component(target); dir >= 0 && c.begin != c.end; c = next_component(c.end)) {
    prefix.add("/").add(c.begin, static_cast<size_t>(c.end - c.begin));
    if (!prefix.whole()) break;
    long below = open_target(ctx, prefix.c_str(), raw::kOPath | raw::kODirectory);
    if (below == -raw::kENOENT) {
      Line<256> name;
      name.add(c.begin, static_cast<size_t>(c.end - c.begin));
      below = name.whole() ? open_or_make(static_cast<int>(dir), name.c_str()) : -raw::kENAMETOOLONG;
    }
    raw::close(static_cast<int>(dir));
    dir = below;
  }
  if (dir >= 0 && !prefix.whole()) {
    raw::close(static_cast<int>(dir));
    dir = -raw::kENAMETOOLONG;
  }
  if (dir < 0) fail(ctx, "mkdirat", dir, target);
  return static_cast<int>(dir < 0 ? -1 : dir);
}

// What was just looked for in vain.
int make_missing(Context& ctx, const char* target) {
  const int last = make_last(ctx, target);
  return last >= 0 ? last : walk_and_make(ctx, target);
}

// An image may name /proc through a link, and a mount there would fool whoever writes to /proc later
// (CVE-2019-19921, CVE-2023-28642, R6).
bool may_mount_on(Context& ctx, int fd, const char* target, uint32_t flags) {
  const bool names_proc_itself = equal(target, "/proc");
  if (lies_on_procfs(fd) && (flags & plan::kMountAllowBelowProc) == 0 && !names_proc_itself) {
    return fail_with(ctx, Problem::below_proc, "openat2", raw::kEPERM, target);
  }
  return true;
}

long open_existing(const Context& ctx, const char* target, uint32_t flags) {
  if ((flags & plan::kMountNoSymlinks) != 0) return open_target(ctx, target, raw::kOPath, Symlinks::none);
  if ((flags & plan::kMountDestNofollow) != 0)
    return open_target(ctx, target, raw::kOPath, Symlinks::none_at_end);
  return open_target(ctx, target, raw::kOPath);
}

// The rest of `path` if it lies below `directory` whatever links there are; nullptr: it may not.
const char* path_below(const char* path, const char* directory) {
  if (!has_prefix(path, directory)) return nullptr;
  const char* rest = path + length(directory);
  if (*rest != '/') return nullptr;
  const Component first = next_component(rest);
  for (Component c = first; c.begin != c.end; c = next_component(c.end)) {
    if (*c.begin == '.') return nullptr;  // ".." leads out
  }
  return first.begin != first.end ? first.begin : nullptr;
}

// A link in the image may lead anywhere, /dev included.
bool may_cover(const char* target, uint32_t flags, const char* covered) {
  if (path_below(target, covered) != nullptr) return false;
  const bool is_itself = (flags & plan::kMountNoSymlinks) != 0;
  return !is_itself || equal(target, covered) || path_below(covered, target) != nullptr;
}

void forget_covered_tmpfs(Context& ctx, const char* target, uint32_t flags) {
  if (ctx.tmpfs.mount < 0 || !may_cover(target, flags, ctx.tmpfs.target)) return;
  raw::close(ctx.tmpfs.mount);
  ctx.tmpfs = {};
}

// In a tmpfs of our own a directory need not be looked for before it is made. -1: not there, or it exists.
int make_in_new_tmpfs(Context& ctx, const char* target) {
  if (ctx.tmpfs.mount < 0) return -1;
  const char* name = path_below(target, ctx.tmpfs.target);
  if (name == nullptr || find(name, '/') != nullptr) return -1;
  if (raw::mkdirat(ctx.tmpfs.mount, name, 0755) < 0) return -1;
  return static_cast<int>(
      raw::openat(ctx.tmpfs.mount, name, raw::kOPath | raw::kODirectory | raw::kONofollow));
}

int make_file(Context& ctx, const char* target) {
  const char* leaf = nullptr;
  const int parent = make_parent(ctx, target, &leaf);
  if (parent < 0) return -1;
  const long fd =
      raw::openat(parent, leaf, raw::kOCreat | raw::kOExcl | raw::kONofollow | raw::kOWronly, 0644);
  if (fd >= 0) raw::close(static_cast<int>(fd));
  const long path =
      fd < 0 && fd != -raw::kEEXIST ? fd : raw::openat(parent, leaf, raw::kOPath | raw::kONofollow);
  raw::close(parent);
  if (path < 0) fail(ctx, "openat", path, target);
  return static_cast<int>(path < 0 ? -1 : path);
}

}  // namespace

long open_target(const Context& ctx, const char* target, int flags, Symlinks symlinks) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | raw::kOCloexec);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (symlinks == Symlinks::none) how.resolve |= RESOLVE_NO_SYMLINKS;
  if (symlinks == Symlinks::none_at_end) how.flags |= static_cast<uint64_t>(raw::kONofollow);
  constexpr int kRaces = 64;  // EAGAIN: a rename somewhere raced with the walk (openat2(2))
  long fd = -raw::kEAGAIN;
  for (int attempt = 0; attempt < kRaces && (fd == -raw::kEAGAIN || fd == -raw::kEINTR); ++attempt) {
    fd = raw::openat2(ctx.root, target, how);
  }
  return fd;
}

int make_directories(Context& ctx, const char* target) {
  const long fd = open_target(ctx, target, raw::kOPath | raw::kODirectory);
  if (fd >= 0) return static_cast<int>(fd);
  if (fd != -raw::kENOENT) {
    fail(ctx, "openat2", fd, target);
    return -1;
  }
  return make_missing(ctx, target);
}

int make_parent(Context& ctx, const char* target, const char** leaf) {
  const Line<kMaxPath> parent = split_leaf(target, leaf);
  if (!parent.whole()) {
    fail(ctx, "openat2", raw::kENAMETOOLONG, target);
    return -1;
  }
  return make_directories(ctx, parent.c_str());
}

MountTarget make_mount_target(Context& ctx, const char* target, uint32_t flags, bool is_directory) {
  constexpr MountTarget kNone{-1, false};
  forget_covered_tmpfs(ctx, target, flags);
  const bool may_be_made = (flags & plan::kMountCreateTarget) != 0;
  const int made = is_directory && may_be_made ? make_in_new_tmpfs(ctx, target) : -1;
  if (made >= 0) return {made, false};
  long fd = open_existing(ctx, target, flags);
  const bool existed = fd >= 0;
  if (fd == -raw::kELOOP || (fd == -raw::kENOTDIR && (flags & plan::kMountNoSymlinks) != 0)) {
    fail_with(ctx, Problem::symlinked_target, "openat2", fd, target);
    return kNone;
  }
  if (fd == -raw::kENOENT && may_be_made) {
    fd = is_directory ? make_missing(ctx, target) : make_file(ctx, target);
    if (fd < 0) return kNone;
  }
  if (fd < 0) {
    fail(ctx, "openat2", fd, target);
    return kNone;
  }
  if (!may_mount_on(ctx, static_cast<int>(fd), target, flags)) {
    raw::close(static_cast<int>(fd));
    return kNone;
  }
  return {static_cast<int>(fd), existed};
}

bool lies_on_procfs(int fd) {
  raw::Statfs fs{};
  return raw::fstatfs(fd, &fs) == 0 && fs.f_type == abi::kProcSuperMagic;
}

bool attach(Context& ctx, int mount, int target, const char* name) {
  const long moved =
      raw::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (moved < 0) return fail(ctx, "move_mount", moved, name);
  ++ctx.attached;
  return true;
}

bool set_attributes(Context& ctx, int mount, const plan::MountAttributes& a, const char* name) {
  if ((a.recursive_set | a.recursive_clear | a.recursive_propagation) != 0) {
    const mount_attr attr{a.recursive_set, a.recursive_clear, a.recursive_propagation, 0};
    const long set = raw::mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, attr);
    if (set < 0) return fail(ctx, "mount_setattr", set, name);
  }
  if ((a.set | a.clear | a.propagation) != 0) {
    const mount_attr attr{a.set, a.clear, a.propagation, 0};
    const long set = raw::mount_setattr(mount, "", AT_EMPTY_PATH, attr);
    if (set < 0) return fail(ctx, "mount_setattr", set, name);
  }
  return true;
}

}  // namespace capsule::init
