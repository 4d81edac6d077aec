// The values of options: words to types, strictly. Every failure names the option and quotes the value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/cli/options.h"
#include "runtime/launch/launch.h"

namespace capsule::cli {

// What Go's strconv.ParseBool takes: engines print booleans with it.
Result<bool> parse_switch(std::string_view option, std::string_view text);

// Whole and in range or refused: a number that wrapped around once made `exec -u 4294967296` root
// (CVE-2026-30892).
Result<std::uint32_t> parse_number(std::string_view option, std::string_view text);

// "uid" or "uid:gid", in numbers, into options.uid and options.gid.
Status parse_user(std::string_view text, launch::ExecOptions& options);
// One of --additional-gids.
Result<std::uint32_t> parse_group(std::string_view text);

Result<OutputFormat> parse_output_format(std::string_view text);
Result<log::Format> parse_log_format(std::string_view text);
Result<log::Level> parse_log_level(std::string_view text);
// "/path", "file:/path", or, as crun has it, "syslog:IDENTIFIER" and "journald:IDENTIFIER". The last one
// given counts.
Status parse_log_target(std::string_view text, log::Options& options);
Result<launch::CgroupManager> parse_cgroup_manager(std::string_view text);
Status parse_rootless(std::string_view text);
// Refuses "" and every spelling of "/": removing a container there would remove the host's files.
Result<std::string> parse_root(std::string_view text);

}  // namespace capsule::cli
