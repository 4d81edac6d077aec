// What the program says: its answer on standard output, and the one line of a failure.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/log.h"
#include "runtime/base/result.h"

namespace capsule::cli {

Status print(std::string_view text);

// The failure as one line, without newline: what was asked and of whom is named once; control characters
// become spaces, and a text too long for the one read(2) of 8 KiB that conmon and buildah make is cut at the
// end, where it matters least.
std::string describe_failure(std::string_view message);

// Says why the command failed: on standard error, always, and in the log file if there is one. Without a file
// and with --log-format json, the line on standard error is the log's.
void report(const Error& error, log::Format format);

}  // namespace capsule::cli
