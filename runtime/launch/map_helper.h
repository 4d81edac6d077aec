// newuidmap and newgidmap: set-user-ID programs of the host that write maps an ordinary user may not write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::launch {

// It only looks up a user and writes a file; but a directory service may be asked who that is.
inline constexpr int kMapHelperTimeoutMs = 10'000;

// The first executable `name` in the absolute directories of `path` ($PATH of the caller; unset or empty: the
// usual places), "" without one. Directories of a container are never among them (R18).
std::string find_helper(std::string_view name, const char* path);

// `lines` of a map as the arguments of a helper: PID, then three numbers for each range.
std::vector<std::string> helper_arguments(std::string_view name, pid_t pid, std::string_view lines);

// Has `helper` (an absolute path) write `lines` as a map of `pid`, a child of ours that is not reaped, so
// that its number cannot have gone to another. Its environment is empty.
//   fails   peer, in the helper's own words, or that it did not end in time
Status run_map_helper(const std::string& helper,
                      pid_t pid,
                      std::string_view lines,
                      int timeout_ms = kMapHelperTimeoutMs);

}  // namespace capsule::launch
