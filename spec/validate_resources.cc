// `linux.resources`: only what no cgroup could mean; which values a kernel file takes is for the planner in
// cgroups/.
#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::array<std::string_view, 3> kRuleTypes = {"a", "b", "c"};

Status check_rule_number(const std::optional<std::int64_t>& number, const std::string& pointer) {
  if (number.value_or(-1) >= -1) return {};
  return Error::invalid_config(pointer, "must be a device number, or -1 for any");
}

Status check_device_rule(const DeviceRule& rule, std::size_t index, const std::string& pointer) {
  if (!contains(kRuleTypes, rule.type.value_or("a"))) {
    return Error::invalid_config(pointer + "/type",
                                 cat({"must be \"a\", \"b\" or \"c\", not ", quoted(*rule.type)}));
  }
  TRY(check_rule_number(rule.major, pointer + "/major"));
  TRY(check_rule_number(rule.minor, pointer + "/minor"));
  if (!rule.access.has_value()) {
    return Error::invalid_config(pointer + "/access",
                                 cat({"device access at ", std::to_string(index), " field cannot be empty"}));
  }
  if (rule.access->find_first_not_of("rwm") == std::string::npos) return {};
  return Error::invalid_config(pointer + "/access",
                               cat({"must be made of r, w and m, not ", quoted(*rule.access)}));
}

Status check_bytes(const std::optional<std::int64_t>& bytes, std::string_view pointer) {
  if (bytes.value_or(0) >= -1) return {};
  return Error::invalid_config(pointer, "must be a number of bytes, or -1 for unlimited");
}

Status check_memory(const Memory& memory, std::string_view pointer) {
  TRY(check_bytes(memory.limit, cat({pointer, "/limit"})));
  TRY(check_bytes(memory.reservation, cat({pointer, "/reservation"})));
  return check_bytes(memory.swap, cat({pointer, "/swap"}));
}

// "<size><unit-prefix>B" with K, M or G, and no unit below (config-linux.md#huge-page-limits).
bool is_page_size(std::string_view size) {
  if (size.size() < 3 || !size.ends_with('B')) return false;
  const char unit = size[size.size() - 2];
  const std::optional<std::uint64_t> number = parse_integer<std::uint64_t>(size.substr(0, size.size() - 2));
  return number.value_or(0) > 0 && (unit == 'K' || unit == 'M' || unit == 'G');
}

Status check_hugepage_limits(const LinuxResources& resources, std::string_view pointer) {
  for (std::size_t i = 0; i < resources.hugepage_limits.size(); ++i) {
    const std::string& size = resources.hugepage_limits[i].page_size;
    if (is_page_size(size)) continue;
    return Error::invalid_config(pointer_to(cat({pointer, "/hugepageLimits"}), i, "pageSize"),
                                 cat({"must be a page size such as \"2MB\", not ", quoted(size)}));
  }
  return {};
}

// The key becomes a file name below the container's cgroup, and must not lead out of it.
Status check_unified(const LinuxResources& resources, std::string_view pointer) {
  for (const auto& [file, value] : resources.unified) {
    if (!file.empty() && file != "." && file != ".." && file.find('/') == std::string::npos) continue;
    return Error::invalid_config(pointer_to(cat({pointer, "/unified"}), file),
                                 "must be the name of a file in the container's cgroup, not a path");
  }
  return {};
}

}  // namespace

Status check_resources(const LinuxResources& resources, std::string_view pointer) {
  for (std::size_t i = 0; i < resources.devices.size(); ++i) {
    TRY(check_device_rule(resources.devices[i], i, pointer_to(cat({pointer, "/devices"}), i)));
  }
  if (resources.memory.has_value()) TRY(check_memory(*resources.memory, cat({pointer, "/memory"})));
  TRY(check_hugepage_limits(resources, pointer));
  return check_unified(resources, pointer);
}

Status validate_resources(const LinuxResources& resources, std::string_view pointer) {
  return check_resources(resources, pointer);
}

}  // namespace capsule::spec
