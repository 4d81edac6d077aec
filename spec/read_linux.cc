// `linux`, apart from resources and seccomp: config-linux.md.
#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/read_parts.h"

namespace capsule::spec {
namespace {

Result<Device> parse_device(const Cursor& at) {
  Device device;
  device.type = TRY(at.required<std::string>("type"));
  device.path = TRY(at.required<std::string>("path"));
  device.major = TRY(at.optional<std::int64_t>("major"));
  device.minor = TRY(at.optional<std::int64_t>("minor"));
  device.file_mode = TRY(at.optional<std::uint32_t>("fileMode"));
  device.uid = TRY(at.optional<std::uint32_t>("uid"));
  device.gid = TRY(at.optional<std::uint32_t>("gid"));
  return device;
}

Result<TimeOffset> parse_time_offset(const Cursor& at) {
  TimeOffset offset;
  offset.secs = TRY(at.value_or("secs", std::int64_t{0}));
  offset.nanosecs = TRY(at.value_or("nanosecs", std::uint32_t{0}));
  return offset;
}

Result<NetDevice> parse_net_device(const Cursor& at) {
  NetDevice device;
  device.name = TRY(at.text("name"));
  return device;
}

Result<IntelRdt> parse_intel_rdt(const Cursor& at) {
  IntelRdt rdt;
  rdt.clos_id = TRY(at.text("closID"));
  rdt.schemata = TRY(at.optional_values<std::string>("schemata"));
  rdt.l3_cache_schema = TRY(at.text("l3CacheSchema"));
  rdt.mem_bw_schema = TRY(at.text("memBwSchema"));
  rdt.enable_monitoring = TRY(at.optional<bool>("enableMonitoring"));
  return rdt;
}

Result<MemoryPolicy> parse_memory_policy(const Cursor& at) {
  MemoryPolicy policy;
  policy.mode = TRY(at.required<std::string>("mode"));
  policy.nodes = TRY(at.value_or("nodes", std::string()));
  policy.flags = TRY(at.values<std::string>("flags"));
  return policy;
}

Result<Personality> parse_personality(const Cursor& at) {
  Personality personality;
  personality.domain = TRY(at.required<std::string>("domain"));
  personality.flags = TRY(at.values<std::string>("flags"));
  return personality;
}

// A profile without default action and without rules is none: runc reads it so, and engines write it for
// "unconfined".
bool is_empty_profile(const Seccomp& seccomp) {
  return seccomp.default_action.empty() && seccomp.syscalls.empty();
}

}  // namespace

Result<IdMapping> parse_id_mapping(const Cursor& at) {
  IdMapping mapping;
  mapping.container_id = TRY(at.required<std::uint32_t>("containerID"));
  mapping.host_id = TRY(at.required<std::uint32_t>("hostID"));
  mapping.size = TRY(at.required<std::uint32_t>("size"));
  return mapping;
}

Result<Namespace> parse_namespace(const Cursor& at) {
  const std::string name = TRY(at.required<std::string>("type"));
  const std::optional<NamespaceType> type = parse_namespace_type(name);
  if (!type.has_value()) return at.member("type").error(cat({"namespace ", quoted(name), " does not exist"}));

  Namespace parsed;
  parsed.type = *type;
  parsed.path = TRY(at.text("path"));
  return parsed;
}

Result<Linux> parse_linux(const Cursor& at) {
  Linux linux_part;
  linux_part.namespaces = TRY(at.objects("namespaces", parse_namespace));
  linux_part.uid_mappings = TRY(at.objects("uidMappings", parse_id_mapping));
  linux_part.gid_mappings = TRY(at.objects("gidMappings", parse_id_mapping));
  linux_part.time_offsets = TRY(at.object_map("timeOffsets", parse_time_offset));
  linux_part.devices = TRY(at.objects("devices", parse_device));
  linux_part.net_devices = TRY(at.object_map("netDevices", parse_net_device));
  linux_part.cgroups_path = TRY(at.text("cgroupsPath"));
  linux_part.resources = TRY(at.boxed("resources", parse_resources));
  linux_part.rootfs_propagation = TRY(at.text("rootfsPropagation"));
  linux_part.seccomp = TRY(at.object("seccomp", parse_seccomp));
  if (linux_part.seccomp.has_value() && is_empty_profile(*linux_part.seccomp)) linux_part.seccomp.reset();
  linux_part.sysctl = TRY(at.texts("sysctl"));
  linux_part.masked_paths = TRY(at.values<std::string>("maskedPaths"));
  linux_part.readonly_paths = TRY(at.values<std::string>("readonlyPaths"));
  linux_part.mount_label = TRY(at.text("mountLabel"));
  linux_part.intel_rdt = TRY(at.object("intelRdt", parse_intel_rdt));
  linux_part.memory_policy = TRY(at.object("memoryPolicy", parse_memory_policy));
  linux_part.personality = TRY(at.object("personality", parse_personality));
  return linux_part;
}

}  // namespace capsule::spec
