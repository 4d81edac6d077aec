// Controllers travel down the tree: a cgroup has those that its parent lists in cgroup.subtree_control
// (cgroup-v2.rst, "Enabling and Disabling").
#pragma once

#include <string>
#include <vector>

#include "cgroups/facts.h"
#include "cgroups/plan.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// Hands `controllers` of `cgroup` down to its children, as many as the kernel lets us, and none if it has
// processes of its own: what is missing in the end is found where it is needed.
void enable_controllers(FdRef cgroup, const std::vector<std::string>& controllers);

//   fails   unsupported, naming the field that needs the controller `leaf` lacks, and where and why it got
//   lost on the way to `path`
Status check_needs(const Facts& facts, const std::string& path, FdRef leaf, const std::vector<Need>& needs);

}  // namespace capsule::cgroups
