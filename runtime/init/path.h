// Paths that the image's author chose: resolved once, inside the container's root, to a descriptor. From then
// on only the descriptor counts (R2).
#pragma once

#include "runtime/init/context.h"

namespace capsule::init {

// How a target's last component may look.
enum class Symlinks : unsigned char { inside, none_at_end, none };

// O_PATH descriptor of what `target` means inside the root, or -errno. Never outside: openat2(RESOLVE_IN_ROOT
// | RESOLVE_NO_MAGICLINKS).
long open_target(const Context& ctx, const char* target, int flags, Symlinks symlinks = Symlinks::inside);

// O_PATH descriptor of the directory `target`; missing components are made (0755), each below the descriptor
// of its parent. -1: ctx.failure says why.
int make_directories(Context& ctx, const char* target);

// The same for the directory that holds `target`; `leaf` is set to the last component of `target`.
int make_parent(Context& ctx, const char* target, const char** leaf);

// A place to mount on: an O_PATH descriptor, -1 if ctx.failure says why there is none.
struct MountTarget {
  int fd;
  bool existed;  // false: made just now
};
// A directory, or an empty file if `is_directory` is false; made if missing. Refuses what the flags forbid
// (kMount*).
MountTarget make_mount_target(Context& ctx, const char* target, uint32_t flags, bool is_directory);

// True if the descriptor lies on a proc file system.
bool lies_on_procfs(int fd);

// Attaches a detached mount to the very directory or file that `target` is open on.
bool attach(Context& ctx, int mount, int target, const char* name);

// mount_setattr with everything `attributes` asks for, recursive parts first.
bool set_attributes(Context& ctx, int mount, const plan::MountAttributes& attributes, const char* name);

}  // namespace capsule::init
