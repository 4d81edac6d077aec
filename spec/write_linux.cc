#include "spec/json_out.h"
#include "spec/names.h"

namespace capsule::spec {
namespace {

Json json_of_namespace(const Namespace& ns) {
  Json json = Json::object();
  json["type"] = name_of(ns.type);
  put(json, "path", ns.path);
  return json;
}

Json json_of_time_offset(const TimeOffset& offset) {
  Json json = Json::object();
  json["secs"] = offset.secs;
  json["nanosecs"] = offset.nanosecs;
  return json;
}

Json json_of_device(const Device& device) {
  Json json = Json::object();
  json["path"] = device.path;
  json["type"] = device.type;
  put(json, "major", device.major);
  put(json, "minor", device.minor);
  put(json, "fileMode", device.file_mode);
  put(json, "uid", device.uid);
  put(json, "gid", device.gid);
  return json;
}

Json json_of_net_device(const NetDevice& device) {
  Json json = Json::object();
  put(json, "name", device.name);
  return json;
}

Json json_of_syscall_arg(const SyscallArg& arg) {
  Json json = Json::object();
  json["index"] = arg.index;
  json["value"] = arg.value;
  if (arg.value_two != 0) json["valueTwo"] = arg.value_two;
  json["op"] = arg.op;
  return json;
}

Json json_of_syscall_rule(const SyscallRule& rule) {
  Json json = Json::object();
  json["names"] = rule.names;
  json["action"] = rule.action;
  put(json, "errnoRet", rule.errno_ret);
  put_objects(json, "args", rule.args, json_of_syscall_arg);
  return json;
}

Json json_of_seccomp(const Seccomp& seccomp) {
  Json json = Json::object();
  json["defaultAction"] = seccomp.default_action;
  put(json, "defaultErrnoRet", seccomp.default_errno_ret);
  put(json, "architectures", seccomp.architectures);
  put(json, "flags", seccomp.flags);
  put(json, "listenerPath", seccomp.listener_path);
  put(json, "listenerMetadata", seccomp.listener_metadata);
  put_objects(json, "syscalls", seccomp.syscalls, json_of_syscall_rule);
  return json;
}

Json json_of_intel_rdt(const IntelRdt& rdt) {
  Json json = Json::object();
  put(json, "closID", rdt.clos_id);
  put(json, "schemata", rdt.schemata);
  put(json, "l3CacheSchema", rdt.l3_cache_schema);
  put(json, "memBwSchema", rdt.mem_bw_schema);
  put(json, "enableMonitoring", rdt.enable_monitoring);
  return json;
}

Json json_of_memory_policy(const MemoryPolicy& policy) {
  Json json = Json::object();
  json["mode"] = policy.mode;
  put(json, "nodes", policy.nodes);
  put(json, "flags", policy.flags);
  return json;
}

Json json_of_personality(const Personality& personality) {
  Json json = Json::object();
  json["domain"] = personality.domain;
  put(json, "flags", personality.flags);
  return json;
}

}  // namespace

Json json_of_id_mapping(const IdMapping& mapping) {
  Json json = Json::object();
  json["containerID"] = mapping.container_id;
  json["hostID"] = mapping.host_id;
  json["size"] = mapping.size;
  return json;
}

Json json_of_linux(const Linux& linux_part) {
  Json json = Json::object();
  put_objects(json, "uidMappings", linux_part.uid_mappings, json_of_id_mapping);
  put_objects(json, "gidMappings", linux_part.gid_mappings, json_of_id_mapping);
  put(json, "sysctl", linux_part.sysctl);
  put_object(json, "resources", linux_part.resources, json_of_resources);
  put(json, "cgroupsPath", linux_part.cgroups_path);
  put_objects(json, "namespaces", linux_part.namespaces, json_of_namespace);
  put_objects(json, "devices", linux_part.devices, json_of_device);
  put_object_map(json, "netDevices", linux_part.net_devices, json_of_net_device);
  put_object(json, "seccomp", linux_part.seccomp, json_of_seccomp);
  put(json, "rootfsPropagation", linux_part.rootfs_propagation);
  put(json, "maskedPaths", linux_part.masked_paths);
  put(json, "readonlyPaths", linux_part.readonly_paths);
  put(json, "mountLabel", linux_part.mount_label);
  put_object(json, "intelRdt", linux_part.intel_rdt, json_of_intel_rdt);
  put_object(json, "memoryPolicy", linux_part.memory_policy, json_of_memory_policy);
  put_object(json, "personality", linux_part.personality, json_of_personality);
  put_object_map(json, "timeOffsets", linux_part.time_offsets, json_of_time_offset);
  return json;
}

}  // namespace capsule::spec
