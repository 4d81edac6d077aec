// What `events` tells about a container: what it uses, from time to time, and when the kernel ran out of
// memory in it.
#pragma once

#include <chrono>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/container/container.h"

namespace capsule::container {

// One line about what the container uses now, in one write(2).
//   fails   wrong_state "container not running"; wrong_state without a cgroup, which alone knows
Status print_stats(const Container& container, FdRef out);

// Such a line each `interval`, and one as soon as a process was killed for want of memory, until the
// container stops or nobody reads `out` any more; both are success. SIGPIPE must be ignored.
//   interval   at least a millisecond
//   fails      as print_stats does
Status watch(const Container& container, std::chrono::milliseconds interval, FdRef out);

}  // namespace capsule::container
