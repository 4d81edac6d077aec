#include "cgroups/plan.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace cgroups = capsule::cgroups;
namespace spec = capsule::spec;

namespace {

// One line a write: "memory.max=268435456", "?" behind it if optional, "|file=value" for a fallback, "<file"
// for a usage check.
std::string spell(const cgroups::Write& write) {
  std::string line = write.file + "=" + write.value;
  if (write.optional) line += "?";
  if (!write.fallback_file.empty()) line += "|" + write.fallback_file + "=" + write.fallback_value;
  if (!write.usage_file.empty()) line += "<" + write.usage_file;
  return line;
}

using Lines = std::vector<std::string>;

// The planned lines, or the error as the only one.
Lines plan(const spec::LinuxResources& resources) {
  const auto writes = cgroups::plan_unified(resources);
  if (!writes.has_value()) return {"error " + writes.error().message()};
  Lines lines;
  for (const cgroups::Write& write : writes.value())
    lines.push_back(spell(write));
  return lines;
}

Lines plan_memory(const spec::Memory& memory) {
  spec::LinuxResources resources;
  resources.memory = memory;
  return plan(resources);
}

Lines plan_cpu(const spec::Cpu& cpu) {
  spec::LinuxResources resources;
  resources.cpu = cpu;
  return plan(resources);
}

Lines plan_io(const spec::BlockIo& block_io) {
  spec::LinuxResources resources;
  resources.block_io = block_io;
  return plan(resources);
}

Lines fields_of(const spec::LinuxResources& resources) {
  Lines fields;
  const auto writes = cgroups::plan_unified(resources);
  REQUIRE(writes.has_value());
  for (const cgroups::Write& write : writes.value())
    fields.push_back(write.field);
  return fields;
}

}  // namespace

TEST_CASE("no resources plan to no writes and need no controller", "[cgroups][plan]") {
  CHECK(plan({}).empty());
  CHECK(cgroups::needed_controllers({}).empty());
}

// Covers: /linux/resources/memory/limit, /linux/resources/memory/reservation, /linux/resources/memory/swap,
// /linux/resources/memory/kernel, /linux/resources/memory/kernelTCP, /linux/resources/memory/swappiness,
// /linux/resources/memory/disableOOMKiller, /linux/resources/memory/useHierarchy,
// /linux/resources/memory/checkBeforeUpdate
TEST_CASE("memory limits are written in bytes, swap as what is beyond memory", "[cgroups][memory]") {
  constexpr std::int64_t kMiB = 1048576;
  struct Case {
    spec::Memory memory;
    Lines expected;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{.limit = 256 * kMiB}, {"memory.max=268435456"}, "a plain limit"},
      {{.limit = -1},
       {"memory.swap.max=max?", "memory.max=max?"},
       "unlimited memory means unlimited swap too"},
      {{.limit = 0}, {}, "0 is how v1 tools say nothing"},
      {{.reservation = 64 * kMiB}, {"memory.low=67108864"}, "reservation is memory.low"},
      {{.reservation = -1}, {"memory.low=max"}, "unlimited protection is not the default, so not optional"},
      {{.limit = 100, .swap = 300},
       {"memory.swap.max=200", "memory.max=100"},
       "swap includes memory in config.json"},
      {{.limit = 100, .swap = 100},
       {"memory.swap.max=0?", "memory.max=100"},
       "equal: no swap; fine where there is none"},
      {{.limit = 100, .swap = -1}, {"memory.swap.max=max?", "memory.max=100"}, "unlimited swap"},
      {{.limit = 100, .swap = 0}, {"memory.max=100"}, "swap 0 is not given"},
      {{.limit = -1, .swap = 300}, {"memory.swap.max=300", "memory.max=max?"}, "nothing to subtract from"},
      {{.swap = -1}, {"memory.swap.max=max?"}, "unlimited swap alone"},
      {{.limit = 100, .check_before_update = true},
       {"memory.max=100<memory.current"},
       "checked when written"},
      {{.limit = -1, .swap = -1, .check_before_update = true},
       {"memory.swap.max=max?", "memory.max=max?"},
       "no limit is below no usage"},
      {{.kernel = 5, .kernel_tcp = 5, .swappiness = 5, .disable_oom_killer = true, .use_hierarchy = true},
       {},
       "only cgroup v1 knew these"},
      {{.swap = 300},
       {"error /linux/resources/memory/swap: unable to set swap limit without memory limit: it includes "
        "memory"},
       "memory unknown"},
      {{.limit = 300, .swap = 100},
       {"error /linux/resources/memory/swap: memory+swap limit should be >= memory limit"},
       "less than its part"},
      {{.limit = -2},
       {"error /linux/resources/memory/limit: must be a number of bytes, or -1 for no limit"},
       "no v1 meaning"},
      {{.swap = -7},
       {"error /linux/resources/memory/swap: must be a number of bytes, or -1 for no limit"},
       "likewise"},
      {{.reservation = -3},
       {"error /linux/resources/memory/reservation: must be a number of bytes, or -1 for no limit"},
       "likewise"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(plan_memory(each.memory) == each.expected);
  }
}

// Covers: /linux/resources/cpu/shares
TEST_CASE("shares map to weights through the three fixed points of the agreed curve", "[cgroups][cpu]") {
  struct Case {
    std::uint64_t shares;
    std::uint64_t weight;
    const char* because;
  };
  const std::vector<Case> cases = {
      {0, 1, "below the least"},
      {2, 1, "the least"},
      {1024, 100, "default meets default"},
      {262144, 10000, "the most"},
      {1000000, 10000, "above the most"},
      {512, 59, "half the default"},
      {2048, 174, "twice the default"},
      {3, 2, "just above the least"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(cgroups::weight_of_shares(each.shares) == each.weight);
  }
}

TEST_CASE("more shares never weigh less, and weights stay in the kernel's range", "[cgroups][cpu]") {
  std::uint64_t before = 0;
  for (std::uint64_t shares = 0; shares <= 262200; ++shares) {
    const std::uint64_t weight = cgroups::weight_of_shares(shares);
    if (weight < before || weight < 1 || weight > 10000)
      FAIL("at " << shares << " shares: weight " << weight);
    before = weight;
  }
  SUCCEED();
}

// Covers: /linux/resources/cpu/shares, /linux/resources/cpu/quota, /linux/resources/cpu/period,
// /linux/resources/cpu/burst, /linux/resources/cpu/idle, /linux/resources/cpu/realtimeRuntime,
// /linux/resources/cpu/realtimePeriod, /linux/resources/cpu/cpus, /linux/resources/cpu/mems
TEST_CASE("cpu fields become weight, quota with period, burst and idle", "[cgroups][cpu]") {
  struct Case {
    spec::Cpu cpu;
    Lines expected;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{.shares = 1024}, {"cpu.weight=100"}, "the default, asked for"},
      {{.shares = 0}, {}, "0 is not given"},
      {{.quota = 50000, .period = 200000}, {"cpu.max=50000 200000"}, "both"},
      {{.quota = 50000}, {"cpu.max=50000 100000"}, "the kernel's default period"},
      {{.period = 200000}, {"cpu.max=max 200000?"}, "a period limits nothing by itself"},
      {{.quota = -1}, {"cpu.max=max 100000?"}, "unlimited"},
      {{.quota = 0, .period = 0}, {}, "0 is not given"},
      {{.quota = 50000, .burst = 2000},
       {"cpu.max.burst=2000", "cpu.max=50000 100000", "cpu.max.burst=2000"},
       "before the quota if both shrink, after it if both grow"},
      {{.burst = 2000}, {"cpu.max.burst=2000"}, "burst alone"},
      {{.burst = 0}, {"cpu.max.burst=0?"}, "no burst is what kernels without it have"},
      {{.shares = 512, .idle = 1}, {"cpu.idle=1"}, "an idle cgroup has no weight of its own choice"},
      {{.shares = 512, .idle = 0}, {"cpu.idle=0?", "cpu.weight=59"}, "not idle, so weighed"},
      {{.realtime_runtime = 1, .realtime_period = 2}, {}, "only cgroup v1 knew these"},
      {{.shares = 2, .cpus = "0-1", .mems = "0"},
       {"cpuset.cpus=0-1", "cpuset.mems=0", "cpu.weight=1"},
       "a process may not enter before it has a cpu"},
      {{.cpus = "", .mems = ""}, {}, "empty is not given"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(plan_cpu(each.cpu) == each.expected);
  }
}

// Covers: /linux/resources/pids/limit
// Normative: B20
TEST_CASE("a pids limit of 0 leaves room for one process, a negative one for all", "[cgroups][pids]") {
  struct Case {
    std::optional<std::int64_t> limit;
    Lines expected;
  };
  for (const Case& each : std::vector<Case>{{std::nullopt, {}},
                                            {-1, {"pids.max=max?"}},
                                            {0, {"pids.max=1"}},
                                            {1, {"pids.max=1"}},
                                            {99, {"pids.max=99"}}}) {
    spec::LinuxResources resources;
    resources.pids = spec::Pids{each.limit};
    CHECK(plan(resources) == each.expected);
  }
}

// Covers: /linux/resources/blockIO/weight, /linux/resources/blockIO/leafWeight,
// /linux/resources/blockIO/weightDevice/*/major, /linux/resources/blockIO/weightDevice/*/minor,
// /linux/resources/blockIO/weightDevice/*/weight, /linux/resources/blockIO/weightDevice/*/leafWeight
TEST_CASE("block io weights keep BFQ's scale and are stretched for io.weight", "[cgroups][io]") {
  CHECK(plan_io({.weight = 10}) == Lines{"io.bfq.weight=10|io.weight=1"});
  CHECK(plan_io({.weight = 500}) == Lines{"io.bfq.weight=500|io.weight=4950"});
  CHECK(plan_io({.weight = 1000}) == Lines{"io.bfq.weight=1000|io.weight=10000"});
  CHECK(plan_io({.weight = 0}).empty());
  CHECK(plan_io({.weight = 9}) ==
        Lines{"error /linux/resources/blockIO/weight: must be a weight between 10 and 1000"});
  CHECK(plan_io({.weight = 1001}) ==
        Lines{"error /linux/resources/blockIO/weight: must be a weight between 10 and 1000"});
  CHECK(plan_io({.leaf_weight = 300}).empty());

  const spec::BlockIo devices{
      .weight_device = {{8, 0, 500, std::nullopt}, {8, 16, std::nullopt, 300}, {8, 32, 7, {}}}};
  CHECK(plan_io(devices) ==
        Lines{"error /linux/resources/blockIO/weightDevice/2/weight: must be a weight between 10 and 1000"});
  const spec::BlockIo one{.weight_device = {{8, 0, 500, std::nullopt}, {8, 16, std::nullopt, 300}}};
  CHECK(plan_io(one) == Lines{"io.bfq.weight=8:0 500|io.weight=8:0 4950"});
}

// Covers: /linux/resources/blockIO/throttleReadBpsDevice/*/major,
// /linux/resources/blockIO/throttleReadBpsDevice/*/minor,
// /linux/resources/blockIO/throttleReadBpsDevice/*/rate,
// /linux/resources/blockIO/throttleWriteBpsDevice/*/major,
// /linux/resources/blockIO/throttleWriteBpsDevice/*/minor,
// /linux/resources/blockIO/throttleWriteBpsDevice/*/rate,
// /linux/resources/blockIO/throttleReadIOPSDevice/*/major,
// /linux/resources/blockIO/throttleReadIOPSDevice/*/minor,
// /linux/resources/blockIO/throttleReadIOPSDevice/*/rate,
// /linux/resources/blockIO/throttleWriteIOPSDevice/*/major,
// /linux/resources/blockIO/throttleWriteIOPSDevice/*/minor,
// /linux/resources/blockIO/throttleWriteIOPSDevice/*/rate
TEST_CASE("throttled devices become one io.max line each", "[cgroups][io]") {
  const spec::BlockIo block_io{.throttle_read_bps_device = {{8, 0, 1000}},
                               .throttle_write_bps_device = {{8, 0, 2000}, {8, 16, 0}},
                               .throttle_read_iops_device = {{8, 0, 30}},
                               .throttle_write_iops_device = {{8, 0, 40}}};

  CHECK(plan_io(block_io) == Lines{"io.max=8:0 rbps=1000", "io.max=8:0 wbps=2000", "io.max=8:16 wbps=max?",
                                   "io.max=8:0 riops=30", "io.max=8:0 wiops=40"});

  spec::LinuxResources resources;
  resources.block_io = block_io;
  CHECK(fields_of(resources) == Lines{"/linux/resources/blockIO/throttleReadBpsDevice/0",
                                      "/linux/resources/blockIO/throttleWriteBpsDevice/0",
                                      "/linux/resources/blockIO/throttleWriteBpsDevice/1",
                                      "/linux/resources/blockIO/throttleReadIOPSDevice/0",
                                      "/linux/resources/blockIO/throttleWriteIOPSDevice/0"});
}

// Covers: /linux/resources/hugepageLimits/*/pageSize, /linux/resources/hugepageLimits/*/limit
TEST_CASE("huge pages are limited when used and when reserved", "[cgroups][hugetlb]") {
  spec::LinuxResources resources;
  resources.hugepage_limits = {{"2MB", 4194304}};
  CHECK(plan(resources) == Lines{"hugetlb.2MB.max=4194304", "hugetlb.2MB.rsvd.max=4194304?"});

  for (const char* size : {"", "MB", "2", "2mb", "2MB/../x", "../1GB"}) {
    INFO("page size " << size);
    resources.hugepage_limits = {{"1GB", 0}, {size, 1}};
    CHECK(
        plan(resources) ==
        Lines{"error /linux/resources/hugepageLimits/1/pageSize: must be a number followed by KB, MB or GB"});
  }
}

// Covers: /linux/resources/rdma/*/hcaHandles, /linux/resources/rdma/*/hcaObjects
TEST_CASE("rdma limits become one line a device", "[cgroups][rdma]") {
  spec::LinuxResources resources;
  resources.rdma = {{"mlx5_1", {3, 10000}}, {"mlx4_0", {std::nullopt, 0}}, {"rxe3", {}}};

  CHECK(plan(resources) ==
        Lines{"rdma.max=mlx4_0 hca_object=0", "rdma.max=mlx5_1 hca_handle=3 hca_object=10000"});
  CHECK(fields_of(resources) == Lines{"/linux/resources/rdma/mlx4_0", "/linux/resources/rdma/mlx5_1"});
}

// Covers: /linux/resources/unified/*
TEST_CASE("unified values are written last, line by line", "[cgroups][unified]") {
  spec::LinuxResources resources;
  resources.pids = spec::Pids{7};
  resources.unified = {{"io.max", "8:0 rbps=1\n8:16 wbps=2\n"}, {"cpuset.cpus", ""}, {"pids.max", "9"}};

  CHECK(plan(resources) ==
        Lines{"pids.max=7", "cpuset.cpus=\n", "io.max=8:0 rbps=1", "io.max=8:16 wbps=2", "pids.max=9"});
}

TEST_CASE("a unified key names a file of the cgroup and no other", "[cgroups][unified]") {
  for (const auto& [key, token] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {".", "."}, {"..", ".."}, {"../memory.max", "..~1memory.max"}, {"a~/b", "a~0~1b"}}) {
    INFO("key " << key);
    spec::LinuxResources resources;
    resources.unified = {{key, "1"}};
    CHECK(plan(resources) == Lines{"error /linux/resources/unified/" + token +
                                   ": must be the name of a file in the cgroup, without a slash"});
  }
}

// Covers: /linux/resources/network/classID, /linux/resources/network/priorities/*/name,
// /linux/resources/network/priorities/*/priority
TEST_CASE("network classes and priorities ask for nothing in v2", "[cgroups][plan]") {
  spec::LinuxResources resources;
  resources.network = spec::Network{1048577, {{"eth0", 500}}};
  CHECK(plan(resources).empty());
}

TEST_CASE("each controller is needed for the first field that asks for more than holds anyway",
          "[cgroups][plan]") {
  spec::LinuxResources resources;
  resources.memory = spec::Memory{.limit = 100, .reservation = 50, .swap = -1};
  resources.cpu = spec::Cpu{.quota = -1, .cpus = "0"};
  resources.pids = spec::Pids{-1};
  resources.hugepage_limits = {{"2MB", 0}};
  resources.unified = {{"cgroup.max.depth", "1"}, {"misc.max", "x 1"}, {"odd", "1"}};

  Lines needs;
  const auto writes = cgroups::plan_unified(resources);
  REQUIRE(writes.has_value());
  for (const cgroups::Need& need : cgroups::needed_controllers(writes.value())) {
    needs.push_back(need.controller + " " + need.field);
  }

  CHECK(needs == Lines{"cpuset /linux/resources/cpu/cpus", "memory /linux/resources/memory/limit",
                       "hugetlb /linux/resources/hugepageLimits/0", "misc /linux/resources/unified/misc.max",
                       "odd /linux/resources/unified/odd"});
}
