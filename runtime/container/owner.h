// Names of users, read by ourselves: a static binary has no name service switch.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace capsule::container {

// The first line of passwd(5) with this user id.
std::optional<std::string> find_user_name(std::string_view passwd, uid_t uid);

}  // namespace capsule::container
