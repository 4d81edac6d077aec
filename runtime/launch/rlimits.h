// The limits of /process/rlimits, set from outside on a process that waits.
#pragma once

#include <sys/types.h>

#include <vector>

#include "runtime/base/result.h"
#include "runtime/process/plan.h"
#include "spec/spec.h"

namespace capsule::launch {

// Applies rlimits with prlimit(2) to `pid`, which waits and has become `user`.
//   fails   system, with the limit's field
Status apply_rlimits(const std::vector<process::ResourceLimit>& rlimits, const spec::User& user, pid_t pid);

}  // namespace capsule::launch
