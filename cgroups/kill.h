// The two ways to SIGKILL a cgroup, which kill_all joins.
#pragma once

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// Everything inside in one write of cgroup.kill (Linux 5.14), or kill_each. A process whose first thread has
// ended may live on.
Status kill_at_once(FdRef cgroup);

// Freezes, signals each process, thaws, until nothing is left that could be signalled. For kernels
// before 5.14, which have no cgroup.kill.
Status kill_each(FdRef cgroup);

}  // namespace capsule::cgroups
