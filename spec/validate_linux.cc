// Below `linux`: devices, paths, propagation, and the smaller objects.
#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

// What fits a dev_t (MAJOR and MINOR of include/linux/kdev_t.h).
constexpr std::int64_t kLastMajor = (1 << 12) - 1;
constexpr std::int64_t kLastMinor = (1 << 20) - 1;

constexpr std::array<std::string_view, 4> kDeviceTypes = {"c", "b", "u", "p"};
constexpr std::array<std::string_view, 8> kPropagations = {  // those with 'r' are runc's and crun's addition
    "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"};
constexpr std::array<std::string_view, 2> kDomains = {"LINUX", "LINUX32"};

struct MemoryMode {
  std::string_view name;
  bool takes_nodes;
  bool needs_nodes;
};
constexpr auto kMemoryModes = std::to_array({
    MemoryMode{"MPOL_DEFAULT", false, false},
    MemoryMode{"MPOL_PREFERRED", true, false},
    MemoryMode{"MPOL_BIND", true, true},
    MemoryMode{"MPOL_INTERLEAVE", true, true},
    MemoryMode{"MPOL_LOCAL", false, false},
    MemoryMode{"MPOL_PREFERRED_MANY", true, true},
    MemoryMode{"MPOL_WEIGHTED_INTERLEAVE", true, true},
});
constexpr std::array<std::string_view, kMemoryModes.size()> kMemoryModeNames = [] {
  std::array<std::string_view, kMemoryModes.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i)
    names[i] = kMemoryModes[i].name;
  return names;
}();
constexpr std::array<std::string_view, 3> kMemoryFlags = {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
                                                          "MPOL_F_STATIC_NODES"};

Status check_device_number(const std::optional<std::int64_t>& number,
                           std::int64_t last,
                           const std::string& pointer) {
  if (!number.has_value()) return Error::invalid_config(pointer, "is required unless type is \"p\"");
  if (*number >= 0 && *number <= last) return {};
  return Error::invalid_config(pointer, cat({"must be between 0 and ", std::to_string(last)}));
}

Status check_device(const Device& device, const std::string& pointer) {
  if (!contains(kDeviceTypes, device.type)) {
    return Error::invalid_config(pointer + "/type",
                                 cat({"must be \"c\", \"b\", \"u\" or \"p\", not ", quoted(device.type)}));
  }
  if (!is_absolute(device.path)) {
    return Error::invalid_config(pointer + "/path",
                                 cat({"must be an absolute path, not ", quoted(device.path)}));
  }
  if (device.type == "p") return {};
  TRY(check_device_number(device.major, kLastMajor, pointer + "/major"));
  return check_device_number(device.minor, kLastMinor, pointer + "/minor");
}

Status check_absolute_paths(const std::vector<std::string>& paths, std::string_view pointer) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (is_absolute(paths[i])) continue;
    return Error::invalid_config(pointer_to(pointer, i),
                                 cat({"must be an absolute path, not ", quoted(paths[i])}));
  }
  return {};
}

Status check_memory_nodes(const MemoryPolicy& policy, const MemoryMode& mode) {
  constexpr std::string_view kPointer = "/linux/memoryPolicy/nodes";
  const std::optional<std::uint64_t> nodes = count_list(policy.nodes);
  if (!nodes.has_value()) {
    return Error::invalid_config(
        kPointer, cat({"must be a list of nodes such as \"0-1,3\", not ", quoted(policy.nodes)}));
  }
  if (!mode.takes_nodes && *nodes > 0) {
    return Error::invalid_config(
        kPointer, cat({"memory policy mode requires 0 nodes but got ", std::to_string(*nodes)}));
  }
  if (!mode.needs_nodes || *nodes > 0) return {};
  return Error::invalid_config(kPointer, "memory policy mode requires at least one node but got 0");
}

}  // namespace

std::span<const std::string_view> memory_policy_modes() {
  return kMemoryModeNames;
}
std::span<const std::string_view> memory_policy_flags() {
  return kMemoryFlags;
}

Status check_devices(const Linux& linux_part) {
  for (std::size_t i = 0; i < linux_part.devices.size(); ++i) {
    TRY(check_device(linux_part.devices[i], pointer_to("/linux/devices", i)));
  }
  return {};
}

Status check_rootfs_propagation(const Linux& linux_part) {
  if (!linux_part.rootfs_propagation.has_value() || contains(kPropagations, *linux_part.rootfs_propagation))
    return {};
  return Error::invalid_config(
      "/linux/rootfsPropagation",
      cat({"rootfsPropagation=", printable(*linux_part.rootfs_propagation), " is not supported"}));
}

// Without a mount namespace the mounts that mask would cover the host's own files.
Status check_restricted_paths(const Linux& linux_part) {
  const bool restricts = !linux_part.masked_paths.empty() || !linux_part.readonly_paths.empty();
  if (restricts && find_namespace(linux_part, NamespaceType::mount) == nullptr) {
    return Error::invalid_config(
        linux_part.masked_paths.empty() ? "/linux/readonlyPaths" : "/linux/maskedPaths",
        "unable to restrict sys entries without a private MNT namespace");
  }
  TRY(check_absolute_paths(linux_part.masked_paths, "/linux/maskedPaths"));
  return check_absolute_paths(linux_part.readonly_paths, "/linux/readonlyPaths");
}

// It names a directory below the resctrl mount; "/" is the default group.
Status check_intel_rdt(const Linux& linux_part) {
  if (!linux_part.intel_rdt.has_value() || !linux_part.intel_rdt->clos_id.has_value()) return {};
  const std::string& id = *linux_part.intel_rdt->clos_id;
  const bool is_name = id != "." && id != ".." && id.find('/') == std::string::npos;
  if (is_name || id == "/") return {};
  return Error::invalid_config("/linux/intelRdt/closID", cat({"invalid intelRdt.ClosID ", quoted(id)}));
}

Status check_memory_policy(const Linux& linux_part) {
  if (!linux_part.memory_policy.has_value()) return {};
  const MemoryPolicy& policy = *linux_part.memory_policy;
  for (std::size_t i = 0; i < policy.flags.size(); ++i) {
    if (contains(kMemoryFlags, policy.flags[i])) continue;
    return Error::invalid_config(pointer_to("/linux/memoryPolicy/flags", i),
                                 cat({"invalid memory policy flag ", quoted(policy.flags[i])}));
  }
  for (const MemoryMode& mode : kMemoryModes) {
    if (mode.name == policy.mode) return check_memory_nodes(policy, mode);
  }
  return Error::invalid_config("/linux/memoryPolicy/mode",
                               cat({"invalid memory policy mode ", quoted(policy.mode)}));
}

Status check_personality(const Linux& linux_part) {
  if (!linux_part.personality.has_value() || contains(kDomains, linux_part.personality->domain)) return {};
  return Error::invalid_config("/linux/personality/domain", cat({"invalid personality domain ",
                                                                 printable(linux_part.personality->domain)}));
}

}  // namespace capsule::spec
