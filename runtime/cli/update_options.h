// The limits that `update` takes as options, and the sizes they are written in.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/cli/given.h"
#include "runtime/cli/options.h"

namespace capsule::cli {

// Bytes as people write them: "1048576", "512k", "1.5G", "64MiB"; "-1" is no limit.
Result<std::int64_t> parse_size(std::string_view option, std::string_view text);

void take_update(Given& given, UpdateOptions& options);

}  // namespace capsule::cli
