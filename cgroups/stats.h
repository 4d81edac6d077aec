// What a cgroup has used: the kernel's files, read and understood.
//
// The kernel writes them, so a line that is not as its documentation says is an error that names the file,
// never a 0: a number that was guessed is worse than none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/rdt.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "spec/stats.h"

namespace capsule::cgroups {

// ---- texts to numbers: pure (Documentation/admin-guide/cgroup-v2.rst); `file` is for the error

// One number on a line, or "max", which is spec::kUnlimited.
Result<std::uint64_t> parse_amount(std::string_view text, std::string_view file);
// "key number" lines: cpu.stat, memory.stat, memory.events.
using Counters = std::map<std::string, std::uint64_t>;
Result<Counters> parse_counters(std::string_view text, std::string_view file);
// "0-3,8": cpuset.cpus.effective. An empty line is no number.
Result<std::vector<std::uint16_t>> parse_number_list(std::string_view text, std::string_view file);
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0": cpu.pressure.
Result<spec::Pressure> parse_pressure(std::string_view text, std::string_view file);
// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6": io.stat. Keys that cgroup v1 had no place for are
// left out.
Result<spec::BlockIoStats> parse_io_stat(std::string_view text, std::string_view file);
// The shares behind "L3:" or "MB:" in a schemata, prefix included; empty: not there.
std::string find_schema(std::string_view schemata, std::string_view prefix);

// ---- looking

// Everything about the cgroup. What has no file, for want of a controller or in an older kernel, stays absent
// or 0.
//   fails   system with is_gone() once the cgroup was removed
Result<spec::Stats> read_stats(FdRef cgroup);

// What a container in resctrl has and uses; nothing for an empty group.
Result<spec::RdtStats> read_rdt_stats(const RdtGroup& rdt);
// The same below a resctrl that was found already.
Result<spec::RdtStats> read_rdt_stats_below(const RdtGroup& rdt, const std::string& mount);

}  // namespace capsule::cgroups
