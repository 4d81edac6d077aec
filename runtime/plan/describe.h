// A plan as text, one step a line, for people and golden tests:
//   mount_filesystem target=/proc type=proc source=proc flags=create_target|no_symlinks   # /mounts/0
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/builder.h"
#include "runtime/plan/view.h"

namespace capsule::plan {

// Members that say nothing (empty, zero, no slot) are left out; numbers that are flags are spelled with their
// names.
std::string describe(const View& view);
std::string describe_step(const View& view, const StepHeader* step);
std::string describe_donations(const std::vector<Donation>& donations);

}  // namespace capsule::plan
