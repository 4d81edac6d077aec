// Resources to writes: pure. One line for one kernel file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/facts.h"
#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

struct Write {
  std::string file;   // "memory.max"
  std::string value;  // as the kernel wants it, in bytes and microseconds: "268435456", "max"
  std::string field;  // JSON pointer that asked for it: "/linux/resources/memory/limit"

  // What only the kernel can say, decided when the line is written:
  bool optional = false;  // asks for what holds anyway ("max"): without the file there is nothing to do
  std::string
      fallback_file;  // written instead where `file` does not exist: io.weight without the BFQ scheduler
  std::string fallback_value;
  std::string
      usage_file;  // refused unless `value` is above the number in this file (memory.checkBeforeUpdate)
};

// Turns /linux/resources (all but devices) into the lines to write below the container's cgroup directory.
//   resources  as parsed: an absent member is std::nullopt, never 0
//   returns    writes in an order the kernel accepts: cpuset first, memory.swap.max before memory.max,
//   `unified` last; a line
//              that appears twice (cpu.max.burst around cpu.max) may be refused the first time. Fields that
//              only cgroup v1 knew (kernel memory, swappiness, OOM killer, realtime, leaf weights, network)
//              ask for nothing
//   fails      invalid_config with the JSON pointer, if a value has no v2 meaning
//   source     runtime-spec config-linux.md#control-groups; kernel admin-guide/cgroup-v2.rst
Result<std::vector<Write>> plan_unified(const spec::LinuxResources& resources);

// OCI shares are cgroup v1 units, 2…262144, default 1024; cpu.weight wants 1…10000, default 100.
std::uint64_t weight_of_shares(std::uint64_t shares);

// Where the container's cgroup lies below the cgroup2 mount point, for the cgroupfs manager: "/a/b", clean,
// without "..".
//   absolute   below the mount point
//   relative, absent   beside the caller's own cgroup, as runc does (`id` is the last component if absent)
std::string plan_path(const std::optional<std::string>& cgroups_path,
                      std::string_view id,
                      const Facts& facts);

// Controllers that `writes` need: {"memory", "pids"}, with the field that asks for each first. Lines that are
// `optional` need none.
struct Need {
  std::string controller;
  std::string field;
};
std::vector<Need> needed_controllers(const std::vector<Write>& writes);

}  // namespace capsule::cgroups
