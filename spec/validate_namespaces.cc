// Namespaces and what only makes sense inside of one: id mappings, clock offsets, network devices.
#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::size_t kLongestInterfaceName = 15;  // IFNAMSIZ of <linux/if.h>, less the null byte

bool is_mapped(const std::vector<IdMapping>& mappings, std::uint32_t id) {
  return std::any_of(mappings.begin(), mappings.end(), [id](const IdMapping& m) {
    return id >= m.container_id && id - m.container_id < m.size;
  });
}

Status check_new_user_namespace(const Linux& linux_part) {
  if (!linux_part.uid_mappings.empty() && !linux_part.gid_mappings.empty()) return {};
  return Error::invalid_config(
      linux_part.uid_mappings.empty() ? "/linux/uidMappings" : "/linux/gidMappings",
      "user namespaces enabled, but no namespace path to join nor mappings to apply specified");
}

// Whether mappings beside a path are those of the namespace behind it can only be told by looking: that is
// left to who opens it.
Status check_mappings_have_a_namespace(const Linux& linux_part) {
  const Namespace* user = find_namespace(linux_part, NamespaceType::user);
  if (user != nullptr) return user->path.has_value() ? Status() : check_new_user_namespace(linux_part);
  if (linux_part.uid_mappings.empty() && linux_part.gid_mappings.empty()) return {};
  return Error::invalid_config(
      linux_part.uid_mappings.empty() ? "/linux/gidMappings" : "/linux/uidMappings",
      "user namespace mappings specified, but user namespace isn't enabled in the config");
}

Status check_time_offset(const std::string& clock, const TimeOffset& offset) {
  const std::string pointer = pointer_to("/linux/timeOffsets", clock);
  if (clock != "monotonic" && clock != "boottime") {
    return Error::invalid_config(pointer,
                                 "no such clock in a time namespace; there are monotonic and boottime");
  }
  if (offset.nanosecs < kNanosecondsPerSecond) return {};
  return Error::invalid_config(pointer + "/nanosecs", "must be less than 1000000000");
}

// dev_valid_name() of net/core/dev.c.
bool is_interface_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestInterfaceName || name == "." || name == "..") return false;
  return name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

// In a template one "%d" stands for a number, and no other "%" may be there (__dev_alloc_name()).
bool is_interface_name_or_template(std::string_view name) {
  const std::size_t percent = name.find('%');
  if (percent == std::string_view::npos) return is_interface_name(name);
  return is_interface_name(name) && name.substr(percent).starts_with("%d") &&
         name.find('%', percent + 1) == std::string_view::npos;
}

// Two devices cannot have one name; those whose names the kernel makes up do not compete.
Status check_names_differ(const std::map<std::string, NetDevice>& devices) {
  std::map<std::string_view, std::string_view> taken;  // name inside → outside
  for (const auto& [host_name, device] : devices) {
    const std::string_view name = device.name.has_value() ? *device.name : host_name;
    const auto [other, is_new] = taken.emplace(name, host_name);
    if (is_new || name.find('%') != std::string_view::npos) continue;
    return Error::invalid_config(
        pointer_to("/linux/netDevices", host_name),
        cat({quoted(name), " is the name in the container of ", quoted(other->second), " too"}));
  }
  return {};
}

Status check_net_device(const std::string& host_name, const NetDevice& device) {
  const std::string pointer = pointer_to("/linux/netDevices", host_name);
  if (!is_interface_name(host_name)) {
    return Error::invalid_config(pointer, cat({"invalid network device name ", quoted(host_name)}));
  }
  if (!device.name.has_value() || is_interface_name_or_template(*device.name)) return {};
  return Error::invalid_config(pointer + "/name",
                               cat({"invalid network device name ", quoted(*device.name)}));
}

}  // namespace

const Namespace* find_namespace(const Linux& linux_part, NamespaceType type) {
  for (const Namespace& ns : linux_part.namespaces) {
    if (ns.type == type) return &ns;
  }
  return nullptr;
}

Status check_namespaces(const Linux& linux_part) {
  for (std::size_t i = 0; i < linux_part.namespaces.size(); ++i) {
    const Namespace& ns = linux_part.namespaces[i];
    if (find_namespace(linux_part, ns.type) != &ns) {
      return Error::invalid_config(pointer_to("/linux/namespaces", i, "type"),
                                   cat({"malformed spec file: duplicated ns ", quoted(name_of(ns.type))}));
    }
    if (ns.path.has_value() && !is_absolute(*ns.path)) {
      return Error::invalid_config(pointer_to("/linux/namespaces", i, "path"),
                                   cat({"must be an absolute path, not ", quoted(*ns.path)}));
    }
  }
  return {};
}

Status check_mapping_sizes(const std::vector<IdMapping>& mappings, std::string_view pointer) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const std::uint32_t size = mappings[i].size;
    if (size == 0) return Error::invalid_config(pointer_to(pointer, i, "size"), "must be at least 1");
    const std::uint32_t room = UINT32_MAX - std::max(mappings[i].container_id, mappings[i].host_id);
    // Id 4294967295 is -1, "no id", and cannot be mapped (user_namespaces(7)).
    if (size > room)
      return Error::invalid_config(pointer_to(pointer, i, "size"), "reaches beyond the last id, 4294967294");
  }
  return {};
}

Status check_id_mappings(const Linux& linux_part) {
  TRY(check_mappings_have_a_namespace(linux_part));
  TRY(check_mapping_sizes(linux_part.uid_mappings, "/linux/uidMappings"));
  return check_mapping_sizes(linux_part.gid_mappings, "/linux/gidMappings");
}

Status check_ids_are_mapped(const User& user, const Linux& linux_part, std::string_view pointer) {
  // Without maps nothing is known: no user namespace, or one that is joined and has its own.
  const auto is_unmapped = [](const std::vector<IdMapping>& mappings, std::uint32_t id) {
    return !mappings.empty() && !is_mapped(mappings, id);
  };
  if (is_unmapped(linux_part.uid_mappings, user.uid)) {
    return Error::invalid_config(cat({pointer, "/uid"}),
                                 cat({"cannot setuid to unmapped uid ", std::to_string(user.uid)}));
  }
  if (is_unmapped(linux_part.gid_mappings, user.gid)) {
    return Error::invalid_config(cat({pointer, "/gid"}),
                                 cat({"cannot setgid to unmapped gid ", std::to_string(user.gid)}));
  }
  for (std::size_t i = 0; i < user.additional_gids.size(); ++i) {
    if (!is_unmapped(linux_part.gid_mappings, user.additional_gids[i])) continue;
    return Error::invalid_config(pointer_to(cat({pointer, "/additionalGids"}), i),
                                 cat({"cannot set unmapped gid ", std::to_string(user.additional_gids[i])}));
  }
  return {};
}

Status check_user_is_mapped(const Spec& spec) {
  if (!spec.linux.has_value() || !spec.process.has_value()) return {};
  return check_ids_are_mapped(spec.process->user, *spec.linux, "/process/user");
}

Status check_time_offsets(const Linux& linux_part) {
  if (linux_part.time_offsets.empty()) return {};
  const Namespace* time = find_namespace(linux_part, NamespaceType::time);
  if (time == nullptr) {
    return Error::invalid_config(
        "/linux/timeOffsets",
        "time namespace offsets specified, but time namespace isn't enabled in the config");
  }
  if (time->path.has_value()) {
    return Error::invalid_config(
        "/linux/timeOffsets",
        "time namespace enabled, but both namespace path and time offsets specified -- you "
        "may only provide one");
  }
  for (const auto& [clock, offset] : linux_part.time_offsets)
    TRY(check_time_offset(clock, offset));
  return {};
}

Status check_net_devices(const Linux& linux_part) {
  if (linux_part.net_devices.empty()) return {};
  if (find_namespace(linux_part, NamespaceType::network) == nullptr) {
    return Error::invalid_config("/linux/netDevices",
                                 "unable to move network devices without a NET namespace");
  }
  for (const auto& [host_name, device] : linux_part.net_devices)
    TRY(check_net_device(host_name, device));
  return check_names_differ(linux_part.net_devices);
}

}  // namespace capsule::spec
