// Whose root we are.
#pragma once

#include <string_view>

namespace capsule {

// Whether this process is in a user namespace other than the machine's first one: there even root makes no
// devices, loads no programs and owns nothing that lies outside. Rootless engines call us like that.
bool is_in_user_namespace();

// Whoever made the user namespace of this process may have given up setgroups(2) in it, for ever
// (user_namespaces(7)).
bool is_setgroups_denied(std::string_view process = "self");

}  // namespace capsule
