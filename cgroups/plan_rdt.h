// Intel RDT: how much of the caches and of the memory bandwidth a container may use. Pure.
//
// It is not part of cgroup v2 but a file system of its own (resctrl): a directory is a group, `schemata` its
// shares, `tasks` its processes (Documentation/filesystems/resctrl.rst; config-linux.md#intelrdt).
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

// What there is before anything is decided.
struct RdtFacts {
  std::string mount;          // of resctrl; empty: there is none
  bool group_exists = false;  // the group that the container is to be in
  std::string schemata;       // its shares, as the kernel prints them
};

struct RdtPlan {
  std::string mount;     // of resctrl
  std::string group;     // absolute path; empty: no RDT is asked for
  bool creates = false;  // it does not exist and will be ours to remove
  std::string schemata;  // lines to write; empty: none
  std::string monitor;   // absolute path of a monitoring group to make in it; empty: none
};

// Where the container's group lies: closID's, the default one for "/", or one named after the container.
std::string rdt_group_path(const spec::IntelRdt& rdt, std::string_view id, std::string_view mount);

// The lines for `schemata` that it asks for, each with its end; empty: none.
std::string schemata_of(const spec::IntelRdt& rdt);

//   fails   unsupported without resctrl; invalid_config with the pointer: a closID without a group and
//   without
//           schemata, a group that exists with other shares than those asked for
Result<RdtPlan> plan_rdt(const spec::IntelRdt& rdt, std::string_view id, const RdtFacts& facts);

// "rdt group /sys/fs/resctrl/c1 (new)", "rdt schemata L3:0=f", "rdt monitor …": a line each, as `capsule
// plan` prints them.
std::string describe_rdt(const RdtPlan& plan);

// Where resctrl is mounted, from the text of /proc/self/mountinfo; empty: nowhere.
std::string find_resctrl(std::string_view mountinfo);

}  // namespace capsule::cgroups
