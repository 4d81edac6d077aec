// What a container's limits are called in systemd. Pure.
//
// The kernel's files stay what counts: they are written as for any cgroup. The properties say the same to
// systemd, which would write its own idea of them at the next daemon-reload.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/device_policy.h"
#include "cgroups/plan.h"
#include "cgroups/systemd_value.h"

namespace capsule::cgroups {

// A property and the first version of systemd that has it; older ones leave the limit to the files alone.
struct PlannedProperty {
  UnitProperty property;
  unsigned since = 0;
};

// The lines that have a property: memory.{min,low,high,max,swap.max,zswap.max,oom.group},
// cpu.{weight,idle,max}, cpuset.{cpus,mems}, pids.max, io.weight. CPU quotas are rounded up to the 10 ms that
// systemd knows. The last line of a file counts.
//   source  systemd.resource-control(5), org.freedesktop.systemd1(5)
std::vector<PlannedProperty> plan_limit_properties(const std::vector<Write>& writes);

// What `changed` were before: as `before` has them, or as they are without any limit.
std::vector<PlannedProperty> plan_former_properties(const std::vector<PlannedProperty>& changed,
                                                    const std::vector<Write>& before);

// DevicePolicy and DeviceAllow, in the order in which they must be given. Never narrower than the rules; what
// systemd cannot say (a denial, one minor number of every major) is decided by the device program alone.
std::vector<PlannedProperty> plan_device_properties(const DevicePolicy& policy);

// Annotations org.systemd.property.NAME: their value is GVariant text; NAME "XxxSec" is XxxUSec in seconds.
//   fails   invalid_config at /annotations/… : name too short or not of letters, value that does not parse
Result<std::vector<UnitProperty>> plan_annotation_properties(
    const std::map<std::string, std::string>& annotations);

// "0-2,4" as the bits 0b10111, lowest byte first.
//   fails   nothing: what does not parse, or names a number past 8191, is left to the kernel: empty
std::string bits_of_list(std::string_view list);

}  // namespace capsule::cgroups
