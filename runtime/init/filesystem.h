// New file systems: a context, its parameters, a detached mount.
#pragma once

#include "runtime/init/context.h"
#include "runtime/init/path.h"

namespace capsule::init {

// A detached mount of the file system with the attributes that fsmount(2) takes, or -1.
int make_filesystem(Context& ctx, const plan::MountFilesystem& s, MountTarget target);

// The one that the host side made, complete but for the mode a tmpfs inherits; -1 if that cannot be set.
int take_donated_filesystem(Context& ctx, const plan::MountFilesystem& s, MountTarget target);

// Sets each of `options` in the context `fs`; `name` is for messages.
bool set_parameters(Context& ctx, int fs, const char* name, plan::TextList options);

// Records why the context refused, with what it logged.
bool fail_config(Context& ctx, int fs, long err, const char* name, const char* option);

}  // namespace capsule::init
