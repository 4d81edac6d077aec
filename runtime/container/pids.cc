// Who is in a container: `ps`, and `update` and `events` that ask for its processes.

#include <algorithm>
#include <optional>

#include "runtime/container/container.h"
#include "runtime/container/processes.h"

namespace capsule::container {

Result<std::vector<std::int64_t>> read_pids(const Container& container) {
  if (!has_cgroup(container.record())) {
    return Error::wrong_state("container has no cgroup, and only that knows its processes");
  }
  const std::optional<UniqueFd> cgroup = TRY(find_cgroup(container.record()));
  if (!cgroup.has_value()) return std::vector<std::int64_t>();
  const std::vector<pid_t> inside = TRY(cgroups::read_pids(*cgroup));
  std::vector<std::int64_t> pids(inside.begin(), inside.end());
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace capsule::container
