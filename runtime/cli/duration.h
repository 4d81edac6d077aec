// How long: "5s", "500ms", "1m30s".
#pragma once

#include <chrono>
#include <string_view>

#include "runtime/base/result.h"

namespace capsule::cli {

// As Go's time.ParseDuration reads it, since engines print it so: numbers, each with a unit (ns us ms s m h)
// and perhaps decimal places. Rounded up to a whole millisecond.
//   fails   naming the option and quoting the value: malformed, not more than zero, or more than a year
Result<std::chrono::milliseconds> parse_duration(std::string_view option, std::string_view text);

}  // namespace capsule::cli
