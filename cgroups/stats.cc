#include "cgroups/stats.h"

#include <cerrno>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::uint64_t kNanoseconds = 1000;  // in the microseconds that cgroup v2 counts

// nullopt: no such file, for want of a controller or in an older kernel; or it answers EOPNOTSUPP, as
// pressure does where nobody counts it.
Result<std::optional<std::string>> read_if_there(FdRef cgroup, const std::string& file) {
  Result<std::string> text = read_cgroup_file(cgroup, file.c_str());
  if (!text.has_value() && (text.error().code() == ENOENT || text.error().code() == EOPNOTSUPP)) {
    return std::optional<std::string>();
  }
  return std::optional<std::string>(TRY(std::move(text)));
}

// What `parse` makes of the file; what it is by default where there is none.
template <class T>
Result<T> read_parsed(FdRef cgroup,
                      const std::string& file,
                      Result<T> (*parse)(std::string_view text, std::string_view file)) {
  const std::optional<std::string> text = TRY(read_if_there(cgroup, file));
  return text.has_value() ? parse(*text, file) : Result<T>(T());
}

Result<std::optional<spec::Pressure>> read_pressure(FdRef cgroup, const char* file) {
  const std::optional<std::string> text = TRY(read_if_there(cgroup, file));
  if (!text.has_value()) return std::optional<spec::Pressure>();
  return std::optional<spec::Pressure>(TRY(parse_pressure(*text, file)));
}

std::uint64_t counter(const Counters& counters, const char* key) {
  const auto found = counters.find(key);
  return found == counters.end() ? 0 : found->second;
}

Result<spec::CpuStats> read_cpu(FdRef cgroup) {
  const Counters stat = TRY(parse_counters(TRY(read_cgroup_file(cgroup, "cpu.stat")), "cpu.stat"));
  return spec::CpuStats{
      .total_ns = counter(stat, "usage_usec") * kNanoseconds,
      .kernel_ns = counter(stat, "system_usec") * kNanoseconds,
      .user_ns = counter(stat, "user_usec") * kNanoseconds,
      .periods = counter(stat, "nr_periods"),
      .throttled_periods = counter(stat, "nr_throttled"),
      .throttled_ns = counter(stat, "throttled_usec") * kNanoseconds,
      .pressure = TRY(read_pressure(cgroup, "cpu.pressure")),
  };
}

Result<spec::CpusetStats> read_cpuset(FdRef cgroup) {
  spec::CpusetStats cpuset;
  cpuset.cpus = TRY(read_parsed(cgroup, "cpuset.cpus.effective", parse_number_list));
  cpuset.mems = TRY(read_parsed(cgroup, "cpuset.mems.effective", parse_number_list));
  return cpuset;
}

// Unlimited and some more is unlimited.
std::uint64_t sum_of_limits(std::uint64_t a, std::uint64_t b) {
  return a == spec::kUnlimited || b == spec::kUnlimited ? spec::kUnlimited : a + b;
}

// No peak of the sum: memory and swap may have had theirs at different times.
Result<spec::MemoryUsage> read_memory_and_swap(FdRef cgroup, const spec::MemoryUsage& memory) {
  const std::uint64_t swap = TRY(read_parsed(cgroup, "memory.swap.current", parse_amount));
  const std::uint64_t swap_limit = TRY(read_parsed(cgroup, "memory.swap.max", parse_amount));
  const Counters events = TRY(read_parsed(cgroup, "memory.swap.events", parse_counters));
  return spec::MemoryUsage{
      .limit = sum_of_limits(memory.limit, swap_limit),
      .usage = memory.usage + swap,
      .failures = counter(events, "max"),
  };
}

Result<spec::MemoryStats> read_memory(FdRef cgroup) {
  spec::MemoryStats memory;
  memory.pressure = TRY(read_pressure(cgroup, "memory.pressure"));
  memory.raw = TRY(read_parsed(cgroup, "memory.stat", parse_counters));
  memory.cache = counter(memory.raw, "file");
  memory.usage = {
      .limit = TRY(read_parsed(cgroup, "memory.max", parse_amount)),
      .usage = TRY(read_parsed(cgroup, "memory.current", parse_amount)),
      .max = TRY(read_parsed(cgroup, "memory.peak", parse_amount)),
      .failures = counter(TRY(read_parsed(cgroup, "memory.events", parse_counters)), "max"),
  };
  memory.memory_and_swap = TRY(read_memory_and_swap(cgroup, memory.usage));
  return memory;
}

// Without the controller the processes are counted, which is not the same (it counts threads), but tells
// whether there are few or many.
Result<spec::PidsStats> read_pids_stats(FdRef cgroup) {
  const std::optional<std::string> current = TRY(read_if_there(cgroup, "pids.current"));
  if (!current.has_value()) return spec::PidsStats{.current = TRY(read_pids(cgroup)).size()};
  const std::uint64_t limit = TRY(read_parsed(cgroup, "pids.max", parse_amount));
  return spec::PidsStats{
      .current = TRY(parse_amount(*current, "pids.current")),
      .limit = limit == spec::kUnlimited ? 0 : limit,
  };
}

Result<spec::BlockIoStats> read_block_io(FdRef cgroup) {
  spec::BlockIoStats stats = TRY(read_parsed(cgroup, "io.stat", parse_io_stat));
  stats.pressure = TRY(read_pressure(cgroup, "io.pressure"));
  return stats;
}

// "2MB" of hugetlb.2MB.current, and nothing of hugetlb.2MB.rsvd.current.
std::optional<std::string_view> page_size_in(std::string_view name) {
  constexpr std::string_view kBefore = "hugetlb.";
  constexpr std::string_view kAfter = ".current";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return std::nullopt;
  if (name.size() <= kBefore.size() + kAfter.size()) return std::nullopt;
  const std::string_view size = name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
  return size.find('.') == std::string_view::npos ? std::optional(size) : std::nullopt;
}

Result<std::map<std::string, spec::HugetlbStats>> read_hugetlb(FdRef cgroup) {
  std::map<std::string, spec::HugetlbStats> sizes;
  for (const std::string& name : TRY(list_directory(cgroup))) {
    const std::optional<std::string_view> size = page_size_in(name);
    if (!size) continue;
    const Counters events = TRY(read_parsed(cgroup, cat({"hugetlb.", *size, ".events"}), parse_counters));
    sizes[std::string(*size)] = {
        .usage = TRY(read_parsed(cgroup, name, parse_amount)),
        .failures = counter(events, "max"),
    };
  }
  return sizes;
}

}  // namespace

Result<spec::Stats> read_stats(FdRef cgroup) {
  spec::Stats stats;
  stats.cpuset = TRY(read_cpuset(cgroup));
  stats.memory = TRY(read_memory(cgroup));
  stats.pids = TRY(read_pids_stats(cgroup));
  stats.block_io = TRY(read_block_io(cgroup));
  stats.hugetlb = TRY(read_hugetlb(cgroup));
  // Last, since every cgroup has a cpu.stat, with the controller and without: if it can be read, what was
  // missing above was missing for want of a controller and not because the cgroup was removed meanwhile.
  stats.cpu = TRY(read_cpu(cgroup));
  return stats;
}

}  // namespace capsule::cgroups
