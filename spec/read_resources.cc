// `linux.resources`: config-linux.md#control-groups.
#include "spec/read_parts.h"

namespace capsule::spec {
namespace {

Result<DeviceRule> parse_device_rule(const Cursor& at) {
  DeviceRule rule;
  rule.allow = TRY(at.required<bool>("allow"));
  rule.type = TRY(at.text("type"));
  rule.major = TRY(at.optional<std::int64_t>("major"));
  rule.minor = TRY(at.optional<std::int64_t>("minor"));
  rule.access = TRY(at.text("access"));
  return rule;
}

Result<Memory> parse_memory(const Cursor& at) {
  Memory memory;
  memory.limit = TRY(at.optional<std::int64_t>("limit"));
  memory.reservation = TRY(at.optional<std::int64_t>("reservation"));
  memory.swap = TRY(at.optional<std::int64_t>("swap"));
  memory.kernel = TRY(at.optional<std::int64_t>("kernel"));
  memory.kernel_tcp = TRY(at.optional<std::int64_t>("kernelTCP"));
  memory.swappiness = TRY(at.optional<std::uint64_t>("swappiness"));
  memory.disable_oom_killer = TRY(at.optional<bool>("disableOOMKiller"));
  memory.use_hierarchy = TRY(at.optional<bool>("useHierarchy"));
  memory.check_before_update = TRY(at.optional<bool>("checkBeforeUpdate"));
  return memory;
}

Result<Cpu> parse_cpu(const Cursor& at) {
  Cpu cpu;
  cpu.shares = TRY(at.optional<std::uint64_t>("shares"));
  cpu.quota = TRY(at.optional<std::int64_t>("quota"));
  cpu.burst = TRY(at.optional<std::uint64_t>("burst"));
  cpu.period = TRY(at.optional<std::uint64_t>("period"));
  cpu.realtime_runtime = TRY(at.optional<std::int64_t>("realtimeRuntime"));
  cpu.realtime_period = TRY(at.optional<std::uint64_t>("realtimePeriod"));
  cpu.cpus = TRY(at.text("cpus"));
  cpu.mems = TRY(at.text("mems"));
  cpu.idle = TRY(at.optional<std::int64_t>("idle"));
  return cpu;
}

Result<Pids> parse_pids(const Cursor& at) {
  Pids pids;
  pids.limit = TRY(at.optional<std::int64_t>("limit"));
  return pids;
}

Result<WeightDevice> parse_weight_device(const Cursor& at) {
  WeightDevice device;
  device.major = TRY(at.required<std::int64_t>("major"));
  device.minor = TRY(at.required<std::int64_t>("minor"));
  device.weight = TRY(at.optional<std::uint16_t>("weight"));
  device.leaf_weight = TRY(at.optional<std::uint16_t>("leafWeight"));
  return device;
}

Result<ThrottleDevice> parse_throttle_device(const Cursor& at) {
  ThrottleDevice device;
  device.major = TRY(at.required<std::int64_t>("major"));
  device.minor = TRY(at.required<std::int64_t>("minor"));
  device.rate = TRY(at.required<std::uint64_t>("rate"));
  return device;
}

Result<BlockIo> parse_block_io(const Cursor& at) {
  BlockIo block_io;
  block_io.weight = TRY(at.optional<std::uint16_t>("weight"));
  block_io.leaf_weight = TRY(at.optional<std::uint16_t>("leafWeight"));
  block_io.weight_device = TRY(at.objects("weightDevice", parse_weight_device));
  block_io.throttle_read_bps_device = TRY(at.objects("throttleReadBpsDevice", parse_throttle_device));
  block_io.throttle_write_bps_device = TRY(at.objects("throttleWriteBpsDevice", parse_throttle_device));
  block_io.throttle_read_iops_device = TRY(at.objects("throttleReadIOPSDevice", parse_throttle_device));
  block_io.throttle_write_iops_device = TRY(at.objects("throttleWriteIOPSDevice", parse_throttle_device));
  return block_io;
}

Result<HugepageLimit> parse_hugepage_limit(const Cursor& at) {
  HugepageLimit limit;
  limit.page_size = TRY(at.required<std::string>("pageSize"));
  limit.limit = TRY(at.required<std::uint64_t>("limit"));
  return limit;
}

Result<InterfacePriority> parse_interface_priority(const Cursor& at) {
  InterfacePriority priority;
  priority.name = TRY(at.required<std::string>("name"));
  priority.priority = TRY(at.required<std::uint32_t>("priority"));
  return priority;
}

Result<Network> parse_network(const Cursor& at) {
  Network network;
  network.class_id = TRY(at.optional<std::uint32_t>("classID"));
  network.priorities = TRY(at.objects("priorities", parse_interface_priority));
  return network;
}

Result<Rdma> parse_rdma(const Cursor& at) {
  Rdma rdma;
  rdma.hca_handles = TRY(at.optional<std::uint32_t>("hcaHandles"));
  rdma.hca_objects = TRY(at.optional<std::uint32_t>("hcaObjects"));
  return rdma;
}

}  // namespace

Result<LinuxResources> parse_resources(const Cursor& at) {
  LinuxResources resources;
  resources.devices = TRY(at.objects("devices", parse_device_rule));
  resources.memory = TRY(at.object("memory", parse_memory));
  resources.cpu = TRY(at.object("cpu", parse_cpu));
  resources.pids = TRY(at.object("pids", parse_pids));
  resources.block_io = TRY(at.object("blockIO", parse_block_io));
  resources.hugepage_limits = TRY(at.objects("hugepageLimits", parse_hugepage_limit));
  resources.network = TRY(at.object("network", parse_network));
  resources.rdma = TRY(at.object_map("rdma", parse_rdma));
  resources.unified = TRY(at.texts("unified"));
  return resources;
}

}  // namespace capsule::spec
