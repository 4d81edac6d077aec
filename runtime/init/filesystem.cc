#include "runtime/init/filesystem.h"

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
  return set_parameters(ctx, fs, type, s.options);
}

bool has_mode_option(const Context& ctx, const plan::MountFilesystem& s) {
  for (uint32_t i = 0; i < s.options.count; ++i) {
    if (has_prefix(text(ctx, ctx.plan.item(s.options, i)), "mode=")) return true;
  }
  return false;
}

// A tmpfs over an existing directory keeps that directory's mode, as users of runc expect.
bool inherits_mode(const Context& ctx, const plan::MountFilesystem& s, MountTarget target) {
  return target.existed && equal(text(ctx, s.type), "tmpfs") && !has_mode_option(ctx, s);
}

bool inherit_mode(Context& ctx, int fs, int target) {
  raw::Stat info{};
  if (raw::fstat(target, &info) < 0) return true;
  Line<16> mode;
  mode.add_number(info.st_mode & 07777U, 8);
  const long set = raw::fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode.c_str(), 0);
  return set < 0 ? fail_config(ctx, fs, set, "tmpfs", "mode") : true;
}

}  // namespace

bool fail_config(Context& ctx, int fs, long err, const char* type, const char* option) {
  Line<400> object;
  object.add(type);
  if (*option != '\0') object.add(" ").add(option);
  append_log(fs, object);
  return fail(ctx, "fsconfig", err, object.c_str());
}

bool set_parameters(Context& ctx, int fs, const char* name, plan::TextList options) {
  for (uint32_t i = 0; i < options.count; ++i) {
    const char* option = text(ctx, ctx.plan.item(options, i));
    const long set = set_parameter(fs, option);
    if (set < 0) return fail_config(ctx, fs, set, name, option);
  }
  return true;
}

int make_filesystem(Context& ctx, const plan::MountFilesystem& s, MountTarget target) {
  const char* type = text(ctx, s.type);
  const long fs = raw::fsopen(type, FSOPEN_CLOEXEC);
  if (fs < 0) {
    fail(ctx, "fsopen", fs, type);
    return -1;
  }
  const int context = static_cast<int>(fs);
  const bool inherits = inherits_mode(ctx, s, target);
  long mount = -1;
  if ((!inherits || inherit_mode(ctx, context, target.fd)) && configure(ctx, context, s)) {
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

int take_donated_filesystem(Context& ctx, const plan::MountFilesystem& s, MountTarget target) {
  const int mount = ctx.plan.descriptor(s.slot);
  raw::Stat info{};
  const bool writable = ((s.attributes.set | s.attributes.recursive_set) & MOUNT_ATTR_RDONLY) == 0;
  if (!writable || !inherits_mode(ctx, s, target) || raw::fstat(target.fd, &info) < 0) return mount;

  // The host side could not know the mode: what the target is, is only seen in here.
  const long opened = raw::openat(mount, ".", raw::kORdonly | raw::kODirectory);
  long done = opened;
  if (opened >= 0) {
    done = raw::call(__NR_fchmod, opened, info.st_mode & 07777U);
    raw::close(static_cast<int>(opened));
  }
  if (done >= 0) return mount;
  fail(ctx, "fchmod", done, text(ctx, s.target));
  return -1;
}

}  // namespace capsule::init
