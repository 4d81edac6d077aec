#include "spec/names.h"

#include <array>

namespace capsule::spec {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 8> kNamespaces = {"pid", "network", "mount",  "ipc",
                                                         "uts", "user",    "cgroup", "time"};
static_assert(static_cast<std::size_t>(NamespaceType::time) + 1 == kNamespaces.size());

}  // namespace

std::optional<NamespaceType> parse_namespace_type(std::string_view name) {
  const auto* found = std::find(kNamespaces.begin(), kNamespaces.end(), name);
  if (found == kNamespaces.end()) return std::nullopt;
  return static_cast<NamespaceType>(found - kNamespaces.begin());
}

std::string_view name_of(NamespaceType type) {
  return kNamespaces[static_cast<std::size_t>(type)];
}

}  // namespace capsule::spec
