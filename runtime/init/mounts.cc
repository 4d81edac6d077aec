// Mounting: file systems, binds, attributes. Everything by descriptor, nothing by path (R4).
#include "runtime/init/context.h"
#include "runtime/init/copy_up.h"
#include "runtime/init/path.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

// The kernel explains a refused parameter in the context's log: "e tmpfs: Bad value for 'size'".
void append_log(int fs, Line<400>& object) {
  char message[256];
  const long got = raw::read(fs, message, sizeof(message));
  if (got <= 2) return;
  object.add(": ").add(message + 2, static_cast<size_t>(got) - 2);
}

bool fail_config(Context& ctx, int fs, long err, const char* type, const char* option) {
  Line<400> object;
  object.add(type);
  if (*option != '\0') object.add(" ").add(option);
  append_log(fs, object);
  return fail(ctx, "fsconfig", err, object.c_str());
}

long set_parameter(int fs, const char* option) {
  const char* equals = find(option, '=');
  if (equals == nullptr) return raw::fsconfig(fs, FSCONFIG_SET_FLAG, option, nullptr, 0);
  Line<256> key;
  key.add(option, static_cast<size_t>(equals - option));
  return key.whole() ? raw::fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), equals + 1, 0) : -raw::kEINVAL;
}

bool configure(Context& ctx, int fs, const plan::MountFilesystem& s) {
  const char* type = text(ctx, s.type);
  if (s.source.size != 0) {
    const long set = raw::fsconfig(fs, FSCONFIG_SET_STRING, "source", text(ctx, s.source), 0);
    if (set < 0) return fail_config(ctx, fs, set, type, text(ctx, s.source));
  }
  for (uint32_t i = 0; i < s.options.count; ++i) {
    const char* option = text(ctx, ctx.plan.item(s.options, i));
    const long set = set_parameter(fs, option);
    if (set < 0) return fail_config(ctx, fs, set, type, option);
  }
  return true;
}

bool has_mode_option(const Context& ctx, const plan::MountFilesystem& s) {
  for (uint32_t i = 0; i < s.options.count; ++i) {
    if (has_prefix(text(ctx, ctx.plan.item(s.options, i)), "mode=")) return true;
  }
  return false;
}

// A tmpfs over an existing directory keeps that directory's mode, as users of runc expect.
bool inherit_mode(Context& ctx, int fs, int target) {
  raw::Stat info{};
  if (raw::fstat(target, &info) < 0) return true;
  Line<16> mode;
  mode.add_number(info.st_mode & 07777U, 8);
  const long set = raw::fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode.c_str(), 0);
  return set < 0 ? fail_config(ctx, fs, set, "tmpfs", "mode") : true;
}

// A detached mount of the file system, or -1.
int make_filesystem(Context& ctx, const plan::MountFilesystem& s, int target, bool target_existed) {
  const char* type = text(ctx, s.type);
  const long fs = raw::fsopen(type, FSOPEN_CLOEXEC);
  if (fs < 0) {
    fail(ctx, "fsopen", fs, type);
    return -1;
  }
  const int context = static_cast<int>(fs);
  const bool inherits = target_existed && equal(type, "tmpfs") && !has_mode_option(ctx, s);
  long mount = -1;
  if ((!inherits || inherit_mode(ctx, context, target)) && configure(ctx, context, s)) {
    const long made = raw::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    if (made < 0) {
      fail_config(ctx, context, made, type, "");
    } else {
      mount = raw::fsmount(context, FSMOUNT_CLOEXEC, s.attributes.set);
      if (mount < 0) fail(ctx, "fsmount", mount, type);
    }
  }
  raw::close(context);
  return static_cast<int>(mount < 0 ? -1 : mount);
}

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

bool attach_and_close(Context& ctx, int mount, int target, const char* name) {
  const bool attached = attach(ctx, mount, target, name);
  raw::close(mount);
  raw::close(target);
  return attached;
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
  const auto [target, existed] = make_mount_target(ctx, target_path, s.flags, true);
  if (target < 0) return false;

  int mount = make_filesystem(ctx, s, target, existed);
  plan::MountAttributes rest = without_set(s.attributes);
  if (mount < 0 && (s.flags & plan::kMountFallbackBind) != 0 && was_refused(ctx)) {
    mount = clone_source(ctx, text(ctx, s.fallback_source), plan::kMountRecursive);
    rest = s.attributes;
  }
  if (mount < 0 || !set_attributes(ctx, mount, rest, target_path)) {
    if (mount >= 0) raw::close(mount);
    raw::close(target);
    return false;
  }
  const bool filled = (s.flags & plan::kMountTmpcopyup) == 0 || copy_up(ctx, target, mount, target_path);
  return filled && attach_and_close(ctx, mount, target, target_path);
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

}  // namespace capsule::init
