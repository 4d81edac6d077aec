#include "spec/stats.h"

#include "tests/support/catch.h"

using namespace capsule::spec;

TEST_CASE("a container that has used nothing has the members that Go prints of empty structs",
          "[spec][stats]") {
  CHECK(write_stats_event("c1", {}) ==
        R"({"type":"stats","id":"c1","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},)"
        R"("cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,)"
        R"("memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,)"
        R"("sched_relax_domain_level":0},)"
        R"("memory":{"usage":{"limit":0,"failcnt":0},"swap":{"limit":0,"failcnt":0},)"
        R"("kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0}},)"
        R"("pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}})"
        "\n");
}

TEST_CASE("every number is behind the name that runc gives it", "[spec][stats]") {
  const Pressure pressure{.some = {.avg10 = 1408, .avg60 = 5, .avg300 = 0, .total_us = 7}, .full = {}};
  const std::string psi = R"("psi":{"some":{"avg10":14.08,"avg60":0.05,"avg300":0.0,"total":7},)"
                          R"("full":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0}})";
  Stats stats;
  stats.cpu = {.total_ns = 3,
               .kernel_ns = 2,
               .user_ns = 1,
               .periods = 4,
               .throttled_periods = 5,
               .throttled_ns = 6,
               .pressure = pressure};
  stats.cpuset = {.cpus = {0, 2}, .mems = {1}};
  stats.memory.cache = 7;
  stats.memory.usage = {.limit = kUnlimited, .usage = 8, .max = 9, .failures = 10};
  stats.memory.memory_and_swap = {.limit = 11, .usage = 12, .max = 0, .failures = 13};
  stats.memory.raw = {{"anon", 14}};
  stats.pids = {.current = 15, .limit = 16};
  stats.block_io.bytes = {{.major = 8, .minor = 0, .op = "Read", .value = 17}};
  stats.block_io.operations = {{.major = 8, .minor = 1, .op = "Write", .value = 0}};
  stats.hugetlb = {{"2MB", {.usage = 18, .failures = 19}}};

  CHECK(
      write_stats_event("c1", stats) ==
      R"({"type":"stats","id":"c1","data":{"cpu":{"usage":{"total":3,"kernel":2,"user":1},)"
      R"("throttling":{"periods":4,"throttledPeriods":5,"throttledTime":6},)" +
          psi +
          R"(},)"
          R"("cpuset":{"cpus":[0,2],"cpu_exclusive":0,"mems":[1],"mem_hardwall":0,"mem_exclusive":0,)"
          R"("memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,)"
          R"("sched_relax_domain_level":0},)"
          R"("memory":{"cache":7,"usage":{"limit":18446744073709551615,"usage":8,"max":9,"failcnt":10},)"
          R"("swap":{"limit":11,"usage":12,"failcnt":13},"kernel":{"limit":0,"failcnt":0},)"
          R"("kernelTCP":{"limit":0,"failcnt":0},"raw":{"anon":14}},)"
          R"("pids":{"current":15,"limit":16},)"
          R"("blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":17}],)"
          R"("ioServicedRecursive":[{"major":8,"minor":1,"op":"Write"}]},)"
          R"("hugetlb":{"2MB":{"usage":18,"failcnt":19}},"intel_rdt":{},"network_interfaces":null}})"
          "\n");
}

TEST_CASE("a group of resctrl is told with its limits and counters", "[spec][stats]") {
  Stats stats;
  stats.rdt = {
      .cache = CacheStats{.cbm_mask = "f", .min_cbm_bits = 1, .num_closids = 2},
      .cache_schema_root = "L3:0=f",
      .cache_schema = "L3:0=1",
      .bandwidth =
          BandwidthStats{.bandwidth_gran = 10, .delay_linear = 1, .min_bandwidth = 10, .num_closids = 8},
      .bandwidth_schema_root = "MB:0=100",
      .bandwidth_schema = "MB:0=20",
      .bandwidth_use = std::vector<BandwidthUse>{{.total_bytes = 3, .local_bytes = 4}},
      .occupancy = std::vector<std::uint64_t>{5},
  };

  const std::string line = write_stats_event("c1", stats);

  CHECK(
      line.find(
          R"("intel_rdt":{"l3_cache_info":{"cbm_mask":"f","min_cbm_bits":1,"num_closids":2},)"
          R"("l3_cache_schema_root":"L3:0=f","l3_cache_schema":"L3:0=1",)"
          R"("mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":10,"num_closids":8},)"
          R"("mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0=20",)"
          R"("mbm_stats":[{"mbm_total_bytes":3,"mbm_local_bytes":4}],"cmt_stats":[{"llc_occupancy":5}]})") !=
      std::string::npos);
}

TEST_CASE("a kill for want of memory has no data", "[spec][stats]") {
  CHECK(write_oom_event("a+b") == "{\"type\":\"oom\",\"id\":\"a+b\"}\n");
}
