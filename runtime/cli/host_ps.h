// ps(1) of the host, and the rows of its answer that belong to a container.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::cli {

// Runs `ps ARGUMENTS` and returns what it printed.
//   fails   peer, with what ps itself said, if it is not there or exits with a failure
Result<std::string> run_host_ps(const std::vector<std::string>& arguments);

// The header and the rows whose PID column is one of `pids`.
//   fails   peer if the header has no PID column
Result<std::string> select_rows(std::string_view listing, const std::vector<std::int64_t>& pids);

}  // namespace capsule::cli
