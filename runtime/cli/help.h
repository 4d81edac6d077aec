// Help as text, made from the catalogue.
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/catalogue.h"

namespace capsule::cli {

// Begins with "NAME:", which runc's tests and Podman's probes look for. `default_root` is where containers
// are kept without --root.
std::string describe_program(std::string_view default_root);
std::string describe_command(const Command& command);

}  // namespace capsule::cli
