// What this host's cgroup2 hierarchy looks like: looked up once per command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::cgroups {

struct Facts {
  std::string mount;  // "/sys/fs/cgroup", or "/sys/fs/cgroup/unified" on a hybrid host; empty: no cgroup2
  std::vector<std::string> controllers;  // of the root: cgroup.controllers
  // Of the caller, if it was asked for; the path is empty otherwise.
  std::string own_path;                     // its cgroup: the "0::" line of /proc/self/cgroup
  bool own_is_top = false;                  // it may fill that, and not the one above
  std::vector<std::string> v1_controllers;  // of the hierarchies mounted beside: "memory", "blkio"
};

// No parse of mountinfo: statfs of the two places where the hierarchy may be (its cost must not grow with the
// host's mounts).
//   own   whether to look for the caller's cgroup, for which /proc takes 30 us
enum class Own { asked, left_out };
Result<Facts> probe_facts(Own own = Own::asked);

// What /proc/PID/cgroup says (cgroups(7)): pure.
struct Membership {
  std::string path;  // of the "0::" line; "/" without one
  std::vector<std::string> v1_controllers;
};
Membership parse_proc_cgroup(std::string_view text);
Result<Membership> read_membership();  // ours

}  // namespace capsule::cgroups
