// Whether a second thread would gain anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace capsule::launch {

// Whether more wants to run on this machine than there are processors for us: then a thread of ours would
// only be one more of them. Where nobody can tell, it is not.
bool is_machine_busy();

// What /proc/loadavg tells of threads that run or could, on all processors (proc_loadavg(5)); nullopt:
// nothing.
std::optional<std::size_t> parse_runnable(std::string_view loadavg);

}  // namespace capsule::launch
