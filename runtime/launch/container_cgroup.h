// The cgroup of a container in the making: ours, or one that systemd makes for us.
#pragma once

#include "cgroups/cgroup.h"
#include "cgroups/systemd.h"
#include "runtime/base/result.h"
#include "runtime/container/container.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/plan_create.h"

namespace capsule::launch {

// What the cgroup is, decided from configuration and host: pure.
//   fails   invalid_config if something is asked of a cgroup that there will not be
Result<CgroupPlan> plan_cgroup(const spec::Spec& spec, const LaunchOptions& options, const Host& host);

// The unit goes after the cgroup, and the processes in it before both.
struct ContainerCgroup {
  cgroups::Scope scope;
  cgroups::Cgroup cgroup;
  void keep() {
    scope.keep();
    cgroup.keep();
  }
};

// Before the record exists: once it names this cgroup, `delete --force` would kill whoever is in it.
//   fails   wrong_state "container's cgroup is not empty: N process(es) found"
Status refuse_occupied_cgroup(const container::Store& store,
                              const std::string& id,
                              const CgroupPlan& plan,
                              const Host& host);

// Made, with its limits, and given to the container's user if that may arrange its inside
// (config-linux.md#cgroup-ownership). `plan.cgroup.path` is where it really is afterwards: empty if a user
// without a delegated cgroup asked for nothing.
Result<ContainerCgroup> make_container_cgroup(CreatePlan& plan,
                                              const spec::Spec& spec,
                                              const Host& host,
                                              FdRef interrupts);

// An unprivileged caller cannot load device programs; its container cannot make devices either.
Status apply_devices(const CgroupPlan& plan, const cgroups::Cgroup& cgroup, const Host& host);

}  // namespace capsule::launch
