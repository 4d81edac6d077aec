// capsule-init, as bytes of this program.
#pragma once

#include <span>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

std::span<const char> init_image();

// A sealed memfd with capsule-init in it: what the clone executes. Nobody can write to it, and it is no file
// of the host (R1).
Result<UniqueFd> make_init_memfd();

// A sealed memfd with `image`, a plan.
Result<UniqueFd> make_plan_memfd(std::span<const char> image);

}  // namespace capsule::launch
