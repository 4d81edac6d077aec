// Where the time of a command goes, for `--log-level debug`: the parts it consists of, each with what it
// took.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace capsule::latency {

// Notes that a part has just ended: it took the time since the last mark. Nothing happens, not even a look at
// the clock, unless debug events are logged.
//   part  names it in the table; must live as long as the program
void mark(std::string_view part);

// One debug event for each part, in order, and one for their sum.
void report();

// "latency       412 us  config.json read"; microseconds are cut off, not rounded.
std::string describe_part(std::string_view part, std::uint64_t nanoseconds);

}  // namespace capsule::latency
