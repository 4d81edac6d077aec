// Maps between the container's ids and the host's (user_namespaces(7)).
#include "namespaces/plan.h"
#include "runtime/base/text.h"

namespace capsule::ns {

std::string describe_id_map(const std::vector<spec::IdMapping>& mappings) {
  std::string lines;
  for (const spec::IdMapping& mapping : mappings) {
    lines.append(cat({std::to_string(mapping.container_id), " ", std::to_string(mapping.host_id), " ",
                      std::to_string(mapping.size), "\n"}));
  }
  return lines;
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t container_id) {
  return host_id(mappings, container_id).has_value();
}

std::optional<std::uint32_t> host_id(const std::vector<spec::IdMapping>& mappings,
                                     std::uint32_t container_id) {
  for (const spec::IdMapping& mapping : mappings) {
    // Differences instead of sums: a range may end at the last id there is.
    if (container_id < mapping.container_id || container_id - mapping.container_id >= mapping.size) continue;
    const std::uint64_t id = std::uint64_t{mapping.host_id} + (container_id - mapping.container_id);
    if (id <= UINT32_MAX) return static_cast<std::uint32_t>(id);
  }
  return std::nullopt;
}

}  // namespace capsule::ns
