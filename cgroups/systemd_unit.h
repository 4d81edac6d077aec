// Which unit of systemd a container is, and where its cgroup will lie. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace capsule::cgroups {

enum class Manager : unsigned char { system, user };  // PID 1, or the `systemd --user` of whoever calls

struct ScopeName {
  std::string slice;  // "system.slice"
  std::string unit;   // "capsule-c1.scope"
};

// "slice:prefix:name" of /linux/cgroupsPath; absent or empty: ":capsule:<id>". An empty slice is
// system.slice, or user.slice of a user's manager; an empty prefix leaves the name alone.
//   fails   invalid_config in runc's words for another form; for what is no slice; for what systemd takes for
//           no unit name (systemd.unit(5))
Result<ScopeName> plan_scope_name(const std::optional<std::string>& cgroups_path,
                                  std::string_view id,
                                  Manager manager);

// "a-b.slice" -> "/a.slice/a-b.slice"; "-.slice" -> "" (systemd.slice(5)).
//   fails   invalid_config for two dashes in a row, or one at an end
Result<std::string> expand_slice(std::string_view slice);

// Where a user's manager keeps its cgroups: "/user.slice/user-1000.slice/user@1000.service". Taken from the
// caller's own cgroup if that lies below it, since a manager may have been started elsewhere.
std::string cgroup_of_user_manager(std::string_view own_path, std::uint32_t uid);
bool is_below(std::string_view path, std::string_view ancestor);

}  // namespace capsule::cgroups
