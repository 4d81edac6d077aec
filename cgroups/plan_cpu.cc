#include <algorithm>
#include <cmath>

#include "cgroups/plan_parts.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::uint64_t kDefaultPeriod = 100000;  // microseconds: admin-guide/cgroup-v2.rst, "cpu.max"

bool is_set(const std::optional<std::uint64_t>& value) {
  return value.has_value() && *value != 0;
}

// "50000 100000". A negative quota lifts the limit; 0 is how v1 tools leave quota or period out.
std::string max_of(const spec::Cpu& cpu) {
  const std::string quota = cpu.quota.value_or(0) > 0 ? std::to_string(*cpu.quota) : "max";
  const std::uint64_t period = is_set(cpu.period) ? *cpu.period : kDefaultPeriod;
  return cat({quota, " ", std::to_string(period)});
}

}  // namespace

// OCI "shares" are cgroup v1 units, 2…262144, default 1024; cpu.weight wants 1…10000, default 100. A straight
// line would map the default to 39 and slow every default container beside a native v2 one. The curve that
// runtimes agreed on is a parabola in the logarithms through the three fixed points: 2 → 1, 1024 → 100,
// 262144 → 10000. The unit test pins them.
std::uint64_t weight_of_shares(std::uint64_t shares) {
  constexpr std::uint64_t kLeast = 2;
  constexpr std::uint64_t kMost = 262144;
  constexpr double kHeaviest = 10000;
  if (shares <= kLeast) return 1;
  if (shares >= kMost) return static_cast<std::uint64_t>(kHeaviest);
  const double log_shares = std::log2(static_cast<double>(shares));
  const double exponent = (log_shares * log_shares + 125.0 * log_shares) / 612.0 - 7.0 / 34.0;
  return static_cast<std::uint64_t>(std::min(std::ceil(std::pow(10.0, exponent)), kHeaviest));
}

void plan_cpuset(const spec::Cpu& cpu, Writes& writes) {
  if (cpu.cpus && !cpu.cpus->empty()) {
    writes.push_back({.file = "cpuset.cpus", .value = *cpu.cpus, .field = "/linux/resources/cpu/cpus"});
  }
  if (cpu.mems && !cpu.mems->empty()) {
    writes.push_back({.file = "cpuset.mems", .value = *cpu.mems, .field = "/linux/resources/cpu/mems"});
  }
}

void plan_cpu(const spec::Cpu& cpu, Writes& writes) {
  const bool is_idle = cpu.idle.value_or(0) != 0;
  if (cpu.idle) {
    writes.push_back({.file = "cpu.idle",
                      .value = std::to_string(*cpu.idle),
                      .field = "/linux/resources/cpu/idle",
                      .optional = !is_idle});
  }
  if (is_set(cpu.shares) &&
      !is_idle) {  // an idle cgroup has a weight of its own and refuses another (Linux 5.15)
    writes.push_back({.file = "cpu.weight",
                      .value = std::to_string(weight_of_shares(*cpu.shares)),
                      .field = "/linux/resources/cpu/shares"});
  }

  const bool has_quota = cpu.quota.value_or(0) != 0;
  const bool limits = cpu.quota.value_or(0) > 0;
  Write burst{.file = "cpu.max.burst", .field = "/linux/resources/cpu/burst"};
  if (cpu.burst) {
    burst.value = std::to_string(*cpu.burst);
    burst.optional = *cpu.burst == 0;
    writes.push_back(burst);
  }
  if (has_quota || is_set(cpu.period)) {
    const char* field = has_quota ? "/linux/resources/cpu/quota" : "/linux/resources/cpu/period";
    writes.push_back({.file = "cpu.max", .value = max_of(cpu), .field = field, .optional = !limits});
  }
  // The kernel wants burst ≤ quota at every moment: before the quota when both shrink, after it when both
  // grow.
  if (cpu.burst && limits) writes.push_back(burst);
}

}  // namespace capsule::cgroups
