// The mounts of a container that come from outside it, as CRIU must be told of them (criu(8), --external).
//
// R21: CRIU reads these names as syntax, so no name may be one that an image or a config chose: a mount is
// known by the place where the kernel says it lies and by a token of our own, and a place that could be
// taken for syntax is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::checkpoint {

struct ExternalMount {
  std::string mountpoint;  // in the container, as its /proc/PID/mountinfo has it
  std::string token;       // "m3": what the image of the dump calls it
  std::size_t mount = 0;   // N of /mounts/N, where the restore finds the source
};

// What the config asked for: /mounts/N, which came to lie at `target` with all symlinks resolved in the root.
struct BoundMount {
  std::size_t mount = 0;
  std::string target;
};

// The external mounts of a container that runs now, for a dump. `mountinfo` is that of its init
// (proc_pid_mountinfo(5)).
//   fails   peer: the kernel knows no mount at a target; invalid_config: a place that CRIU would misread
Result<std::vector<ExternalMount>> plan_external_mounts(std::string_view mountinfo,
                                                        const std::vector<BoundMount>& bound);

}  // namespace capsule::checkpoint
