// Which build this is.
#pragma once

#include <string>
#include <string_view>

namespace capsule::cli {

std::string_view version();  // "0.1.0"
std::string_view commit();   // as `git describe` names it, or "unknown"

// What --version prints. Engines split the first line at the word "version", so no other line may contain it.
std::string describe_version();

}  // namespace capsule::cli
