// SIGKILL for kernels before 5.14, which have no cgroup.kill.
#pragma once

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// Freezes, signals each process, thaws, until nothing is left that could be signalled. kill_all does so where
// cgroup.kill is missing.
Status kill_each(FdRef cgroup);

}  // namespace capsule::cgroups
