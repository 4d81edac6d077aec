// Who is still there: for errors about a wait that ended without success.
#pragma once

#include <string>

#include "runtime/base/fd.h"

namespace capsule::cgroups {

// "2 processes remain: 812 sh (D), 813 cat (S)"; names at most ten. With wchan, where a process sleeps in the
// kernel, if it may be read: "812 sh (D, nfs_wait_bit_killable)".
std::string describe_remaining(FdRef cgroup);

}  // namespace capsule::cgroups
