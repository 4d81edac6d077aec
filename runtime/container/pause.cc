// Freezing a container and thawing it: cgroup.freeze of its cgroup, which a paused parent does not touch.

#include "runtime/container/container.h"
#include "runtime/container/processes.h"

namespace capsule::container {

Status pause(const Container& container) {
  const ContainerStatus status = container.status();
  if (status != ContainerStatus::running && status != ContainerStatus::created) {
    return Error::wrong_state("container not running");
  }
  const UniqueFd cgroup = TRY(container.cgroup().context("pause"));
  // If the kernel does not get everything to a halt in time, write_freeze thaws what has stopped: better
  // running than half frozen.
  return cgroups::write_freeze(cgroup, cgroups::FreezeState::frozen, kFreezeTimeoutMs).context("pause");
}

Status resume(const Container& container) {
  if (container.status() != ContainerStatus::paused) return Error::wrong_state("container not paused");
  const UniqueFd cgroup = TRY(container.cgroup().context("resume"));
  return cgroups::write_freeze(cgroup, cgroups::FreezeState::thawed, kFreezeTimeoutMs).context("resume");
}

}  // namespace capsule::container
