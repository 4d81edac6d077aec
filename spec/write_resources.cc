#include "spec/json_out.h"

namespace capsule::spec {
namespace {

Json json_of_device_rule(const DeviceRule& rule) {
  Json json = Json::object();
  json["allow"] = rule.allow;
  put(json, "type", rule.type);
  put(json, "major", rule.major);
  put(json, "minor", rule.minor);
  put(json, "access", rule.access);
  return json;
}

Json json_of_memory(const Memory& memory) {
  Json json = Json::object();
  put(json, "limit", memory.limit);
  put(json, "reservation", memory.reservation);
  put(json, "swap", memory.swap);
  put(json, "kernel", memory.kernel);
  put(json, "kernelTCP", memory.kernel_tcp);
  put(json, "swappiness", memory.swappiness);
  put(json, "disableOOMKiller", memory.disable_oom_killer);
  put(json, "useHierarchy", memory.use_hierarchy);
  put(json, "checkBeforeUpdate", memory.check_before_update);
  return json;
}

Json json_of_cpu(const Cpu& cpu) {
  Json json = Json::object();
  put(json, "shares", cpu.shares);
  put(json, "quota", cpu.quota);
  put(json, "burst", cpu.burst);
  put(json, "period", cpu.period);
  put(json, "realtimeRuntime", cpu.realtime_runtime);
  put(json, "realtimePeriod", cpu.realtime_period);
  put(json, "cpus", cpu.cpus);
  put(json, "mems", cpu.mems);
  put(json, "idle", cpu.idle);
  return json;
}

Json json_of_pids(const Pids& pids) {
  Json json = Json::object();
  put(json, "limit", pids.limit);
  return json;
}

Json json_of_weight_device(const WeightDevice& device) {
  Json json = Json::object();
  json["major"] = device.major;
  json["minor"] = device.minor;
  put(json, "weight", device.weight);
  put(json, "leafWeight", device.leaf_weight);
  return json;
}

Json json_of_throttle_device(const ThrottleDevice& device) {
  Json json = Json::object();
  json["major"] = device.major;
  json["minor"] = device.minor;
  json["rate"] = device.rate;
  return json;
}

Json json_of_block_io(const BlockIo& block_io) {
  Json json = Json::object();
  put(json, "weight", block_io.weight);
  put(json, "leafWeight", block_io.leaf_weight);
  put_objects(json, "weightDevice", block_io.weight_device, json_of_weight_device);
  put_objects(json, "throttleReadBpsDevice", block_io.throttle_read_bps_device, json_of_throttle_device);
  put_objects(json, "throttleWriteBpsDevice", block_io.throttle_write_bps_device, json_of_throttle_device);
  put_objects(json, "throttleReadIOPSDevice", block_io.throttle_read_iops_device, json_of_throttle_device);
  put_objects(json, "throttleWriteIOPSDevice", block_io.throttle_write_iops_device, json_of_throttle_device);
  return json;
}

Json json_of_hugepage_limit(const HugepageLimit& limit) {
  Json json = Json::object();
  json["pageSize"] = limit.page_size;
  json["limit"] = limit.limit;
  return json;
}

Json json_of_interface_priority(const InterfacePriority& priority) {
  Json json = Json::object();
  json["name"] = priority.name;
  json["priority"] = priority.priority;
  return json;
}

Json json_of_network(const Network& network) {
  Json json = Json::object();
  put(json, "classID", network.class_id);
  put_objects(json, "priorities", network.priorities, json_of_interface_priority);
  return json;
}

Json json_of_rdma(const Rdma& rdma) {
  Json json = Json::object();
  put(json, "hcaHandles", rdma.hca_handles);
  put(json, "hcaObjects", rdma.hca_objects);
  return json;
}

}  // namespace

Json json_of_resources(const LinuxResources& resources) {
  Json json = Json::object();
  put_objects(json, "devices", resources.devices, json_of_device_rule);
  put_object(json, "memory", resources.memory, json_of_memory);
  put_object(json, "cpu", resources.cpu, json_of_cpu);
  put_object(json, "pids", resources.pids, json_of_pids);
  put_object(json, "blockIO", resources.block_io, json_of_block_io);
  put_objects(json, "hugepageLimits", resources.hugepage_limits, json_of_hugepage_limit);
  put_object(json, "network", resources.network, json_of_network);
  put_object_map(json, "rdma", resources.rdma, json_of_rdma);
  put(json, "unified", resources.unified);
  return json;
}

}  // namespace capsule::spec
