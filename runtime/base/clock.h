// The time of day as text.
#pragma once

#include <string>

namespace capsule {

enum class Fraction : unsigned char { none, nanoseconds };

// RFC 3339 in UTC: "2026-11-22T19:05:35Z", "2026-11-22T19:05:35.587305967Z". Not through gmtime(3), which
// reads the host's time zone first.
std::string now_rfc3339(Fraction fraction);

}  // namespace capsule
