// Looking into an environment that plan_environment made.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capsule::process {

std::optional<std::string_view> find_variable(const std::vector<std::string>& environment,
                                              std::string_view name);

// $PATH, or where programs usually are if there is none. An empty PATH stays empty: then only a name with a
// slash can be run.
std::string_view search_path(const std::vector<std::string>& environment);

}  // namespace capsule::process
