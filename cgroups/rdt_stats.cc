// What a container has and uses in resctrl (Documentation/filesystems/resctrl.rst).

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "cgroups/stats.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// Empty: no such file, since the processor cannot do it.
Result<std::string> read_line(const std::string& path) {
  Result<std::string> text = read_file(FdRef::cwd(), path.c_str());
  if (!text.has_value() && text.error().code() == ENOENT) return std::string();
  std::string line = TRY(std::move(text).context(path));
  while (line.ends_with('\n'))
    line.pop_back();
  return line;
}

Result<std::uint64_t> read_number(const std::string& path) {
  const std::string line = TRY(read_line(path));
  return line.empty() ? Result<std::uint64_t>(0) : parse_amount(line, path);
}

Result<std::optional<spec::CacheStats>> read_cache(const std::string& mount) {
  const std::string info = cat({mount, "/info/L3"});
  spec::CacheStats cache{.cbm_mask = TRY(read_line(cat({info, "/cbm_mask"})))};
  if (cache.cbm_mask.empty()) return std::optional<spec::CacheStats>();
  cache.min_cbm_bits = TRY(read_number(cat({info, "/min_cbm_bits"})));
  cache.num_closids = TRY(read_number(cat({info, "/num_closids"})));
  return std::optional(std::move(cache));
}

Result<std::optional<spec::BandwidthStats>> read_bandwidth(const std::string& mount) {
  const std::string info = cat({mount, "/info/MB"});
  const spec::BandwidthStats bandwidth{
      .bandwidth_gran = TRY(read_number(cat({info, "/bandwidth_gran"}))),
      .delay_linear = TRY(read_number(cat({info, "/delay_linear"}))),
      .min_bandwidth = TRY(read_number(cat({info, "/min_bandwidth"}))),
      .num_closids = TRY(read_number(cat({info, "/num_closids"}))),
  };
  if (bandwidth.num_closids == 0) return std::optional<spec::BandwidthStats>();
  return std::optional(bandwidth);
}

// nullopt: no such counter, or it has no number ("Unavailable"): the processor has run out of counters.
Result<std::optional<std::uint64_t>> read_monitored(const std::string& path) {
  const std::string line = TRY(read_line(path));
  return parse_integer<std::uint64_t>(line);
}

Result<std::vector<std::string>> list_domains(const std::string& mon_data) {
  Result<UniqueFd> dir = sys::openat(FdRef::cwd(), mon_data.c_str(), O_RDONLY | O_DIRECTORY);
  if (!dir.has_value() && dir.error().code() == ENOENT) return std::vector<std::string>();
  const UniqueFd opened = TRY(std::move(dir));
  std::vector<std::string> domains;
  for (std::string& name : TRY(list_directory(opened))) {
    if (name.starts_with("mon_L3_")) domains.push_back(std::move(name));
  }
  std::sort(domains.begin(), domains.end());
  return domains;
}

Status read_monitors(const std::string& group, spec::RdtStats& stats) {
  const std::string mon_data = cat({group, "/mon_data"});
  std::vector<spec::BandwidthUse> use;
  std::vector<std::uint64_t> occupancy;
  for (const std::string& domain : TRY(list_domains(mon_data))) {
    const std::string path = cat({mon_data, "/", domain});
    const auto total = TRY(read_monitored(cat({path, "/mbm_total_bytes"})));
    const auto local = TRY(read_monitored(cat({path, "/mbm_local_bytes"})));
    const auto occupied = TRY(read_monitored(cat({path, "/llc_occupancy"})));
    if (total || local) use.push_back({.total_bytes = total.value_or(0), .local_bytes = local.value_or(0)});
    if (occupied) occupancy.push_back(*occupied);
  }
  if (!use.empty()) stats.bandwidth_use = std::move(use);
  if (!occupancy.empty()) stats.occupancy = std::move(occupancy);
  return {};
}

}  // namespace

Result<spec::RdtStats> read_rdt_stats_below(const RdtGroup& rdt, const std::string& mount) {
  spec::RdtStats stats;
  const std::string root = TRY(read_line(cat({mount, "/schemata"})));
  const std::string own = TRY(read_line(cat({rdt.group, "/schemata"})));
  stats.cache = TRY(read_cache(mount));
  stats.cache_schema_root = find_schema(root, "L3:");
  stats.cache_schema = find_schema(own, "L3:");
  stats.bandwidth = TRY(read_bandwidth(mount));
  stats.bandwidth_schema_root = find_schema(root, "MB:");
  stats.bandwidth_schema = find_schema(own, "MB:");
  TRY(read_monitors(rdt.monitor.empty() ? rdt.group : rdt.monitor, stats));
  return stats;
}

Result<spec::RdtStats> read_rdt_stats(const RdtGroup& rdt) {
  if (rdt.group.empty()) return spec::RdtStats();
  const std::string mount = find_resctrl(TRY(read_file(FdRef::cwd(), "/proc/self/mountinfo")));
  if (mount.empty()) return spec::RdtStats();  // unmounted meanwhile: nothing is limited or counted
  return read_rdt_stats_below(rdt, mount);
}

}  // namespace capsule::cgroups
