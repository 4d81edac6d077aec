// Mounting: file systems and binds. Everything by descriptor, nothing by path (R4).
#include "runtime/init/context.h"
#include "runtime/init/copy_up.h"
#include "runtime/init/filesystem.h"
#include "runtime/init/path.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

bool was_refused(const Context& ctx) {
  const int err = ctx.failure.err;
  return ctx.failure.problem == Problem::system_call &&
         (err == raw::kEPERM || err == raw::kEBUSY || err == raw::kEACCES);
}

int clone_source(Context& ctx, const char* source, uint32_t flags) {
  unsigned how = OPEN_TREE_CLONE;
  if ((flags & plan::kMountRecursive) != 0) how |= AT_RECURSIVE;
  if ((flags & plan::kMountSourceNofollow) != 0) how |= static_cast<unsigned>(raw::kAtSymlinkNofollow);
  const long tree = raw::open_tree(raw::kAtFdcwd, source, how);
  if (tree < 0) fail(ctx, "open_tree", tree, source);
  return static_cast<int>(tree < 0 ? -1 : tree);
}

// What fsmount(2) has not already set.
plan::MountAttributes without_set(plan::MountAttributes attributes) {
  attributes.set = attributes.clear = 0;
  return attributes;
}

// What is mounted on the root is the root from now on.
void become_root(Context& ctx, int mount) {
  raw::close(ctx.root);
  ctx.root = mount;
  ++ctx.covered_roots;
}

bool attach_and_close(Context& ctx, int mount, int target, const char* name) {
  const bool attached = attach(ctx, mount, target, name);
  raw::close(target);
  if (attached && equal(name, "/")) {
    become_root(ctx, mount);
  } else {
    raw::close(mount);
  }
  return attached;
}

// Where the mounts to come are likely to need directories.
bool attach_new_tmpfs(Context& ctx, int mount, int target, const char* name) {
  const bool attached = attach(ctx, mount, target, name);
  raw::close(target);
  if (attached && ctx.tmpfs.mount < 0) {
    ctx.tmpfs = {mount, name};
  } else {
    raw::close(mount);
  }
  return attached;
}

bool is_new_tmpfs(const Context& ctx, const plan::MountFilesystem& s) {
  const uint32_t holds_something = plan::kMountTmpcopyup | plan::kMountFallbackBind;
  return s.slot == plan::kNoSlot && (s.flags & holds_something) == 0 && equal(text(ctx, s.type), "tmpfs") &&
         !equal(text(ctx, s.target), "/");
}

bool is_directory(int fd) {
  raw::Stat info{};
  return raw::fstat(fd, &info) == 0 && (info.st_mode & raw::kSIfmt) == raw::kSIfdir;
}

// The source of a bind as a detached mount: donated with its attributes set, or cloned here. -2: missing, and
// that is allowed.
int take_source(Context& ctx, const plan::Bind& s) {
  constexpr int kSkip = -2;
  if (s.slot != plan::kNoSlot) {
    const int donated = ctx.plan.descriptor(s.slot);
    return donated < 0 ? kSkip : donated;
  }
  const int tree = clone_source(ctx, text(ctx, s.source), s.flags);
  if (tree < 0)
    return ctx.failure.err == raw::kENOENT && (s.flags & plan::kMountIgnoreMissingSource) != 0 ? kSkip : -1;
  if (set_attributes(ctx, tree, s.attributes, text(ctx, s.source))) return tree;
  raw::close(tree);
  return -1;
}

// mqueue takes no "context=": its root is labelled like a file.
bool label_root(Context& ctx, int mount, const plan::MountFilesystem& s) {
  if (s.label.size == 0) return true;
  const long root = raw::openat(mount, ".", raw::kORdonly | raw::kODirectory);
  if (root < 0) return fail(ctx, "openat", root, text(ctx, s.type));
  const long set = raw::call(__NR_fsetxattr, root, "security.selinux", text(ctx, s.label), s.label.size, 0);
  raw::close(static_cast<int>(root));
  return set < 0 ? fail(ctx, "fsetxattr", set, text(ctx, s.label)) : true;
}

// A detached mount of the file system with its attributes, or -1: donated, made here, or a bind in place of
// what the kernel refuses.
int take_filesystem(Context& ctx, const plan::MountFilesystem& s, MountTarget target) {
  if (s.slot != plan::kNoSlot) return take_donated_filesystem(ctx, s, target);
  int mount = make_filesystem(ctx, s, target);
  plan::MountAttributes rest = without_set(s.attributes);
  if (mount < 0 && (s.flags & plan::kMountFallbackBind) != 0 && was_refused(ctx)) {
    mount = clone_source(ctx, text(ctx, s.fallback_source), plan::kMountRecursive);
    rest = s.attributes;
  }
  if (mount < 0) return -1;
  if (label_root(ctx, mount, s) && set_attributes(ctx, mount, rest, text(ctx, s.target))) return mount;
  raw::close(mount);
  return -1;
}

bool is_symlink(int fd) {
  raw::Stat info{};
  return raw::fstat(fd, &info) == 0 && (info.st_mode & raw::kSIfmt) == raw::kSIflnk;
}

// crun's copy-symlink: the link itself is made again inside, where it means what the container's author wants
// it to mean.
bool copy_symlink(Context& ctx, int source, const char* target) {
  char value[4096] = {};
  const long got = raw::readlinkat(source, "", value, sizeof(value) - 1);
  if (got < 0) return fail(ctx, "readlinkat", got, target);
  const char* leaf = nullptr;
  const int parent = make_parent(ctx, target, &leaf);
  if (parent < 0) return false;
  const long made = raw::symlinkat(value, parent, leaf);
  raw::close(parent);
  return made < 0 && made != -raw::kEEXIST ? fail(ctx, "symlinkat", made, target) : true;
}

}  // namespace

bool perform(Context& ctx, const plan::MountFilesystem& s) {
  const char* target_path = text(ctx, s.target);
  const MountTarget target = make_mount_target(ctx, target_path, s.flags, true);
  if (target.fd < 0) return false;

  const int mount = take_filesystem(ctx, s, target);
  if (mount < 0) {
    raw::close(target.fd);
    return false;
  }
  if ((s.flags & plan::kMountTmpcopyup) != 0 && !copy_up(ctx, target.fd, mount, target_path)) return false;
  return is_new_tmpfs(ctx, s) ? attach_new_tmpfs(ctx, mount, target.fd, target_path)
                              : attach_and_close(ctx, mount, target.fd, target_path);
}

bool perform(Context& ctx, const plan::Bind& s) {
  const int source = take_source(ctx, s);
  if (source == -2) return true;
  if (source < 0) return false;
  const char* target_path = text(ctx, s.target);
  if (equal(target_path, "/proc") && !lies_on_procfs(source)) {
    raw::close(source);
    return fail_with(ctx, Problem::proc_is_not_procfs, "fstatfs", 0, target_path);
  }
  if ((s.flags & plan::kMountCopySymlink) != 0 && is_symlink(source)) {
    const bool copied = copy_symlink(ctx, source, target_path);
    raw::close(source);
    return copied;
  }
  const int target = make_mount_target(ctx, target_path, s.flags, is_directory(source)).fd;
  if (target < 0) {
    raw::close(source);
    return false;
  }
  return attach_and_close(ctx, source, target, target_path);
}

}  // namespace capsule::init
