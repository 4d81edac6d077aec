// Where a container's cgroup lies: pure.
#include "cgroups/plan.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// "/a//./b/../c" -> {"a", "c"}. ".." never climbs above the mount point: a path is a wish about a place below
// it, not a way out.
std::vector<std::string> clean_components(std::string_view path) {
  std::vector<std::string> components;
  for (const std::string_view component : split(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      components.emplace_back(component);
    } else if (!components.empty()) {
      components.pop_back();
    }
  }
  return components;
}

std::string clean(std::string_view path) {
  return cat({"/", join(clean_components(path), "/")});
}

// cgroup v2 keeps processes out of inner nodes, so what the caller may fill is the level its own cgroup
// stands on; unless only its own is delegated to it. There the kernel makes the difference: a container
// without limits is let in.
std::string level_of_caller(const Facts& facts) {
  std::vector<std::string> components = clean_components(facts.own_path);
  if (!components.empty() && !facts.own_is_top) components.pop_back();
  return join(components, "/");
}

}  // namespace

std::string plan_path(const std::optional<std::string>& cgroups_path,
                      std::string_view id,
                      const Facts& facts) {
  const bool is_given = cgroups_path.has_value() && !cgroups_path->empty();
  if (is_given && cgroups_path->front() == '/') return clean(*cgroups_path);
  // Cleaned by itself first: "../x" may not climb out of the caller's level either.
  const std::string below = is_given ? clean(*cgroups_path) : clean(id);
  return clean(cat({"/", level_of_caller(facts), below}));
}

}  // namespace capsule::cgroups
