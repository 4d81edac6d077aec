// tmpcopyup: a tmpfs that begins with the content of the directory it covers.
#pragma once

#include "runtime/init/context.h"

namespace capsule::init {

// Copies what lies below the directory `from` into the detached, empty mount `to`: directories, files, links
// and devices with owner, mode and times; extended attributes are not copied. Symbolic links are never
// followed, so nothing outside `from` is read.
bool copy_up(Context& ctx, int from, int to, const char* name);

}  // namespace capsule::init
