// What this host's cgroup2 hierarchy looks like: looked up once per command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::cgroups {

struct Facts {
  std::string mount;  // "/sys/fs/cgroup", or "/sys/fs/cgroup/unified" on a hybrid host; empty: no cgroup2
  std::vector<std::string> controllers;     // of the root: cgroup.controllers
  std::string own_path;                     // the caller's cgroup: the "0::" line of /proc/self/cgroup
  bool own_is_top = false;                  // the caller may fill its own cgroup, and not the one above
  bool hybrid = false;                      // v1 controllers are mounted beside it
  std::vector<std::string> v1_controllers;  // which: "memory", "blkio"
};

// No parse of mountinfo: statfs of the two places where the hierarchy may be (its cost must not grow with the
// host's mounts).
Result<Facts> probe_facts();

// What /proc/PID/cgroup says (cgroups(7)): pure.
struct Membership {
  std::string path;  // of the "0::" line; "/" without one
  std::vector<std::string> v1_controllers;
};
Membership parse_proc_cgroup(std::string_view text);

}  // namespace capsule::cgroups
