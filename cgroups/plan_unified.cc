#include <algorithm>

#include "cgroups/plan.h"
#include "cgroups/plan_parts.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
std::string pointer_token(std::string_view text) {
  std::string token;
  for (const char c : text) {
    if (c == '~') {
      token.append("~0");
    } else if (c == '/') {
      token.append("~1");
    } else {
      token.push_back(c);
    }
  }
  return token;
}

void plan_pids(const spec::Pids& pids, Writes& writes) {
  if (!pids.limit.has_value()) return;
  const bool unlimited = *pids.limit < 0;
  // 0 is a limit (config-linux.md#pids) and nothing could run under it: the first process takes the one
  // place, and nobody another.
  const std::string value = unlimited ? "max" : std::to_string(std::max<std::int64_t>(*pids.limit, 1));
  writes.push_back(
      {.file = "pids.max", .value = value, .field = "/linux/resources/pids/limit", .optional = unlimited});
}

Status plan_hugepages(const std::vector<spec::HugepageLimit>& limits, Writes& writes) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const std::string field = cat({"/linux/resources/hugepageLimits/", std::to_string(i)});
    const std::string& size = limits[i].page_size;
    const std::size_t digits = std::min(size.find_first_not_of("0123456789"), size.size());
    const std::string_view unit = std::string_view(size).substr(digits);
    if (digits == 0 || (unit != "KB" && unit != "MB" && unit != "GB")) {
      return Error::invalid_config(cat({field, "/pageSize"}), "must be a number followed by KB, MB or GB");
    }
    const std::string value = std::to_string(limits[i].limit);
    writes.push_back({.file = cat({"hugetlb.", size, ".max"}), .value = value, .field = field});
    // Reservations count apart since Linux 5.7; where they do not, pages cannot be reserved past the limit
    // above anyway.
    writes.push_back(
        {.file = cat({"hugetlb.", size, ".rsvd.max"}), .value = value, .field = field, .optional = true});
  }
  return {};
}

void plan_rdma(const std::map<std::string, spec::Rdma>& devices, Writes& writes) {
  for (const auto& [device, limit] : devices) {
    std::string value = device;
    if (limit.hca_handles) value.append(" hca_handle=").append(std::to_string(*limit.hca_handles));
    if (limit.hca_objects) value.append(" hca_object=").append(std::to_string(*limit.hca_objects));
    if (value == device) continue;
    writes.push_back({.file = "rdma.max",
                      .value = std::move(value),
                      .field = cat({"/linux/resources/rdma/", pointer_token(device)})});
  }
}

Status plan_raw(const std::map<std::string, std::string>& unified, Writes& writes) {
  for (const auto& [file, lines] : unified) {
    const std::string field = cat({"/linux/resources/unified/", pointer_token(file)});
    if (file.empty() || file == "." || file == ".." || file.find('/') != std::string::npos) {
      return Error::invalid_config(field, "must be the name of a file in the cgroup, without a slash");
    }
    // Files like io.max take one device a write, so several lines are several writes; an empty value resets a
    // file.
    const std::size_t before = writes.size();
    for (const std::string_view line : split(lines, '\n')) {
      if (!line.empty()) writes.push_back({.file = file, .value = std::string(line), .field = field});
    }
    if (writes.size() == before) writes.push_back({.file = file, .value = "\n", .field = field});
  }
  return {};
}

Result<std::vector<Write>> plan_unified(const spec::LinuxResources& resources) {
  Writes writes;
  if (resources.cpu) plan_cpuset(*resources.cpu, writes);
  if (resources.memory) TRY(plan_memory(*resources.memory, writes));
  if (resources.cpu) plan_cpu(*resources.cpu, writes);
  if (resources.pids) plan_pids(*resources.pids, writes);
  if (resources.block_io) TRY(plan_block_io(*resources.block_io, writes));
  TRY(plan_hugepages(resources.hugepage_limits, writes));
  plan_rdma(resources.rdma, writes);
  TRY(plan_raw(resources.unified, writes));
  return writes;
}

std::vector<Need> needed_controllers(const std::vector<Write>& writes) {
  std::vector<Need> needs;
  for (const Write& write : writes) {
    const std::string controller = write.file.substr(0, write.file.find('.'));
    const bool is_known = std::any_of(needs.begin(), needs.end(),
                                      [&](const Need& need) { return need.controller == controller; });
    if (write.optional || controller == "cgroup" || is_known)
      continue;  // cgroup.* is there without any controller
    needs.push_back({controller, write.field});
  }
  return needs;
}

}  // namespace capsule::cgroups
