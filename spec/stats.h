// What a container has used, as `events` tells it: plain structs, and their JSON.
//
// The members are those of runc's types/events.go, whose shape is that of cgroup v1: engines read it so.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capsule::spec {

inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// Pressure stall information (Documentation/accounting/psi.rst).
struct PressureLine {
  std::uint64_t avg10 = 0, avg60 = 0, avg300 = 0;  // hundredths of a percent, the kernel's own precision
  std::uint64_t total_us = 0;
};
struct Pressure {
  PressureLine some;
  PressureLine full;  // of the processor before Linux 5.13: zeros
};

struct CpuStats {
  std::uint64_t total_ns = 0, kernel_ns = 0, user_ns = 0;
  std::uint64_t periods = 0, throttled_periods = 0, throttled_ns = 0;
  std::optional<Pressure> pressure;
};

struct CpusetStats {
  std::vector<std::uint16_t> cpus, mems;  // those that may really be used
};

struct MemoryUsage {
  std::uint64_t limit = 0, usage = 0, max = 0, failures = 0;  // bytes, and how often the limit was hit
};
struct MemoryStats {
  std::uint64_t cache = 0;
  MemoryUsage usage;
  MemoryUsage memory_and_swap;               // the sum, as cgroup v1 counted
  std::map<std::string, std::uint64_t> raw;  // memory.stat
  std::optional<Pressure> pressure;
};

struct PidsStats {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;  // 0: none
};

struct BlockIoEntry {
  std::uint64_t major = 0, minor = 0;
  std::string op;  // "Read", "Write"
  std::uint64_t value = 0;
};
struct BlockIoStats {
  std::vector<BlockIoEntry> bytes, operations;
  std::optional<Pressure> pressure;
};

struct HugetlbStats {
  std::uint64_t usage = 0, failures = 0;
};

// One resource of Intel RDT: what the processor can do, and who has how much.
struct CacheStats {
  std::string cbm_mask;
  std::uint64_t min_cbm_bits = 0, num_closids = 0;
};
struct BandwidthStats {
  std::uint64_t bandwidth_gran = 0, delay_linear = 0, min_bandwidth = 0, num_closids = 0;
};
struct BandwidthUse {
  std::uint64_t total_bytes = 0, local_bytes = 0;
};
struct RdtStats {
  std::optional<CacheStats> cache;
  std::string cache_schema_root, cache_schema;
  std::optional<BandwidthStats> bandwidth;
  std::string bandwidth_schema_root, bandwidth_schema;
  std::optional<std::vector<BandwidthUse>> bandwidth_use;  // by cache domain
  std::optional<std::vector<std::uint64_t>> occupancy;     // bytes, by cache domain
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  PidsStats pids;
  BlockIoStats block_io;
  std::map<std::string, HugetlbStats> hugetlb;  // by page size: "2MB"
  RdtStats rdt;
};

// {"type":"stats","id":…,"data":{…}} and a newline. Zero is left out where Go's `omitempty` does so.
std::string write_stats_event(std::string_view id, const Stats& stats);
// {"type":"oom","id":…} and a newline.
std::string write_oom_event(std::string_view id);

}  // namespace capsule::spec
