// What `events` prints.
#include "spec/json_out.h"
#include "spec/stats.h"

namespace capsule::spec {
namespace {

void put_unless_zero(Json& object, const char* key, std::uint64_t value) {
  if (value != 0) object[key] = value;
}

double percent(std::uint64_t hundredths) {
  return static_cast<double>(hundredths) / 100;
}

Json json_of_pressure_line(const PressureLine& line) {
  Json json = Json::object();
  json["avg10"] = percent(line.avg10);
  json["avg60"] = percent(line.avg60);
  json["avg300"] = percent(line.avg300);
  json["total"] = line.total_us;
  return json;
}

Json json_of_pressure(const Pressure& pressure) {
  Json json = Json::object();
  json["some"] = json_of_pressure_line(pressure.some);
  json["full"] = json_of_pressure_line(pressure.full);
  return json;
}

Json json_of_cpu(const CpuStats& cpu) {
  Json usage = Json::object();
  put_unless_zero(usage, "total", cpu.total_ns);
  usage["kernel"] = cpu.kernel_ns;
  usage["user"] = cpu.user_ns;

  Json throttling = Json::object();
  put_unless_zero(throttling, "periods", cpu.periods);
  put_unless_zero(throttling, "throttledPeriods", cpu.throttled_periods);
  put_unless_zero(throttling, "throttledTime", cpu.throttled_ns);

  Json json = Json::object();
  json["usage"] = std::move(usage);
  json["throttling"] = std::move(throttling);
  put_object(json, "psi", cpu.pressure, json_of_pressure);
  return json;
}

// Most of it are switches of cgroup v1 that v2 does not have, and that runc prints as 0.
Json json_of_cpuset(const CpusetStats& cpuset) {
  Json json = Json::object();
  put(json, "cpus", cpuset.cpus);
  json["cpu_exclusive"] = 0;
  put(json, "mems", cpuset.mems);
  for (const char* key :
       {"mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
        "memory_pressure", "sched_load_balance", "sched_relax_domain_level"})
    json[key] = 0;
  return json;
}

Json json_of_memory_usage(const MemoryUsage& memory) {
  Json json = Json::object();
  json["limit"] = memory.limit;
  put_unless_zero(json, "usage", memory.usage);
  put_unless_zero(json, "max", memory.max);
  json["failcnt"] = memory.failures;
  return json;
}

Json json_of_memory(const MemoryStats& memory) {
  Json json = Json::object();
  put_unless_zero(json, "cache", memory.cache);
  json["usage"] = json_of_memory_usage(memory.usage);
  json["swap"] = json_of_memory_usage(memory.memory_and_swap);
  json["kernel"] = json_of_memory_usage({});  // cgroup v2 has no such limits; what is used is in `raw`
  json["kernelTCP"] = json_of_memory_usage({});
  put(json, "raw", memory.raw);
  put_object(json, "psi", memory.pressure, json_of_pressure);
  return json;
}

Json json_of_pids(const PidsStats& pids) {
  Json json = Json::object();
  put_unless_zero(json, "current", pids.current);
  put_unless_zero(json, "limit", pids.limit);
  return json;
}

Json json_of_block_io_entry(const BlockIoEntry& entry) {
  Json json = Json::object();
  put_unless_zero(json, "major", entry.major);
  put_unless_zero(json, "minor", entry.minor);
  put(json, "op", entry.op);
  put_unless_zero(json, "value", entry.value);
  return json;
}

Json json_of_block_io(const BlockIoStats& block_io) {
  Json json = Json::object();
  put_objects(json, "ioServiceBytesRecursive", block_io.bytes, json_of_block_io_entry);
  put_objects(json, "ioServicedRecursive", block_io.operations, json_of_block_io_entry);
  put_object(json, "psi", block_io.pressure, json_of_pressure);
  return json;
}

Json json_of_hugetlb(const std::map<std::string, HugetlbStats>& sizes) {
  Json json = Json::object();
  for (const auto& [size, stats] : sizes) {
    Json entry = Json::object();
    put_unless_zero(entry, "usage", stats.usage);
    entry["failcnt"] = stats.failures;
    json[size] = std::move(entry);
  }
  return json;
}

Json json_of_cache(const CacheStats& cache) {
  Json json = Json::object();
  put(json, "cbm_mask", cache.cbm_mask);
  put_unless_zero(json, "min_cbm_bits", cache.min_cbm_bits);
  put_unless_zero(json, "num_closids", cache.num_closids);
  return json;
}

Json json_of_bandwidth(const BandwidthStats& bandwidth) {
  Json json = Json::object();
  put_unless_zero(json, "bandwidth_gran", bandwidth.bandwidth_gran);
  put_unless_zero(json, "delay_linear", bandwidth.delay_linear);
  put_unless_zero(json, "min_bandwidth", bandwidth.min_bandwidth);
  put_unless_zero(json, "num_closids", bandwidth.num_closids);
  return json;
}

Json json_of_bandwidth_use(const std::vector<BandwidthUse>& domains) {
  Json json = Json::array();
  for (const BandwidthUse& use : domains)
    json.push_back(Json{{"mbm_total_bytes", use.total_bytes}, {"mbm_local_bytes", use.local_bytes}});
  return json;
}

Json json_of_occupancy(const std::vector<std::uint64_t>& domains) {
  Json json = Json::array();
  for (const std::uint64_t bytes : domains) {
    Json entry = Json::object();
    entry["llc_occupancy"] = bytes;
    json.push_back(std::move(entry));
  }
  return json;
}

Json json_of_rdt(const RdtStats& rdt) {
  Json json = Json::object();
  put_object(json, "l3_cache_info", rdt.cache, json_of_cache);
  put(json, "l3_cache_schema_root", rdt.cache_schema_root);
  put(json, "l3_cache_schema", rdt.cache_schema);
  put_object(json, "mem_bw_info", rdt.bandwidth, json_of_bandwidth);
  put(json, "mem_bw_schema_root", rdt.bandwidth_schema_root);
  put(json, "mem_bw_schema", rdt.bandwidth_schema);
  put_object(json, "mbm_stats", rdt.bandwidth_use, json_of_bandwidth_use);
  put_object(json, "cmt_stats", rdt.occupancy, json_of_occupancy);
  return json;
}

Json json_of_stats(const Stats& stats) {
  Json json = Json::object();
  json["cpu"] = json_of_cpu(stats.cpu);
  json["cpuset"] = json_of_cpuset(stats.cpuset);
  json["memory"] = json_of_memory(stats.memory);
  json["pids"] = json_of_pids(stats.pids);
  json["blkio"] = json_of_block_io(stats.block_io);
  json["hugetlb"] = json_of_hugetlb(stats.hugetlb);
  json["intel_rdt"] = json_of_rdt(stats.rdt);
  json["network_interfaces"] =
      nullptr;  // runc counts only interfaces that it made itself, which it no longer does
  return json;
}

Json json_of_event(std::string_view type, std::string_view id) {
  Json json = Json::object();
  json["type"] = type;
  json["id"] = id;
  return json;
}

}  // namespace

std::string write_stats_event(std::string_view id, const Stats& stats) {
  Json json = json_of_event("stats", id);
  json["data"] = json_of_stats(stats);
  return to_text(json, Layout::one_line);
}

std::string write_oom_event(std::string_view id) {
  return to_text(json_of_event("oom", id), Layout::one_line);
}

}  // namespace capsule::spec
