#include "cgroups/stats.h"

#include <fcntl.h>

#include <filesystem>

#include "cgroups/files.h"
#include "runtime/base/sys.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::cgroups {
namespace {

template <class T>
std::string error_of(const Result<T>& result) {
  return result.has_value() ? "(accepted)" : result.error().message();
}

spec::Stats stats_of(const test::Scratch& directory) {
  const UniqueFd cgroup = sys::openat(FdRef::cwd(), directory.path().c_str(), O_RDONLY | O_DIRECTORY).value();
  return read_stats(cgroup).value();
}

TEST_CASE("an amount is a number or without limit", "[cgroups][stats]") {
  CHECK(parse_amount("4096\n", "memory.max").value() == 4096);
  CHECK(parse_amount("max\n", "memory.max").value() == spec::kUnlimited);
  CHECK(parse_amount("18446744073709551615\n", "memory.max").value() == spec::kUnlimited);
}

TEST_CASE("counters are pairs of a key and a number", "[cgroups][stats]") {
  const Counters counters = parse_counters("usage_usec 705\nnice_usec 0\n", "cpu.stat").value();
  CHECK(counters == Counters{{"usage_usec", 705}, {"nice_usec", 0}});
  CHECK(parse_counters("", "cpu.stat").value().empty());
}

TEST_CASE("lists of processors are ranges and single numbers", "[cgroups][stats]") {
  using Numbers = std::vector<std::uint16_t>;
  CHECK(parse_number_list("0-3,8\n", "f").value() == Numbers{0, 1, 2, 3, 8});
  CHECK(parse_number_list("0\n", "f").value() == Numbers{0});
  CHECK(parse_number_list("65535\n", "f").value() == Numbers{65535});
  CHECK(parse_number_list("\n", "f").value().empty());
}

TEST_CASE("pressure has two decimal places and a total", "[cgroups][stats]") {
  const spec::Pressure pressure = parse_pressure(
                                      "some avg10=14.08 avg60=3.58 avg300=0.80 total=2499410\n"
                                      "full avg10=100.00 avg60=0.00 avg300=0.05 total=7\n",
                                      "cpu.pressure")
                                      .value();
  CHECK(pressure.some.avg10 == 1408);
  CHECK(pressure.some.avg60 == 358);
  CHECK(pressure.some.avg300 == 80);
  CHECK(pressure.some.total_us == 2499410);
  CHECK(pressure.full.avg10 == 10000);
  CHECK(pressure.full.avg300 == 5);
  CHECK(pressure.full.total_us == 7);
}

TEST_CASE("io.stat becomes bytes and operations, read and written, of each device", "[cgroups][stats]") {
  const spec::BlockIoStats stats =
      parse_io_stat(
          "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.vrate=99.5\n253:1 rbytes=7\n9:9\n",
          "io.stat")
          .value();
  REQUIRE(stats.bytes.size() == 3);
  CHECK(stats.bytes[0].op == "Read");
  CHECK(stats.bytes[0].value == 1);
  CHECK(stats.bytes[1].op == "Write");
  CHECK(stats.bytes[1].value == 2);
  CHECK(stats.bytes[2].major == 253);
  CHECK(stats.bytes[2].minor == 1);
  REQUIRE(stats.operations.size() == 2);
  CHECK(stats.operations[0].value == 3);
  CHECK(stats.operations[1].value == 4);
}

TEST_CASE("what the kernel does not say so is an error that names the file", "[cgroups][stats]") {
  for (const char* text : {"", "x", "-1", "1 2", "1x", "18446744073709551616"}) {
    INFO(text);
    CHECK(error_of(parse_amount(text, "memory.max")).starts_with("memory.max: "));
  }
  for (const char* text : {"usage_usec", "usage_usec x", " 1", "a 1\n\nb 2", "a  1"}) {
    INFO(text);
    CHECK(error_of(parse_counters(text, "cpu.stat")).starts_with("cpu.stat: "));
  }
  for (const char* text : {"3-1", "a", "1-", "-1", "1,,2", "65536", "0-65536"}) {
    INFO(text);
    CHECK(error_of(parse_number_list(text, "cpuset.cpus.effective")).starts_with("cpuset.cpus.effective: "));
  }
  for (const char* text :
       {"some", "most avg10=0.00 avg60=0.00 avg300=0.00 total=0",
        "some avg10=0.0 avg60=0.00 avg300=0.00 total=0", "some avg60=0.00 avg10=0.00 avg300=0.00 total=0",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=x"}) {
    INFO(text);
    CHECK(error_of(parse_pressure(text, "io.pressure")).starts_with("io.pressure: "));
  }
  for (const char* text : {"8 rbytes=1", "8:x rbytes=1", "8:0 rbytes=x", "8:0 wios=", "\n\n"}) {
    INFO(text);
    CHECK(error_of(parse_io_stat(text, "io.stat")).starts_with("io.stat: "));
  }
}

TEST_CASE("a group's microseconds become nanoseconds, and its memory the shape of cgroup v1",
          "[cgroups][stats]") {
  const test::Scratch cgroup;
  cgroup.write("cpu.stat",
               "usage_usec 3\nuser_usec 1\nsystem_usec 2\nnr_periods 4\nnr_throttled 5\nthrottled_usec 6\n");
  cgroup.write("memory.current", "100\n");
  cgroup.write("memory.max", "1000\n");
  cgroup.write("memory.peak", "200\n");
  cgroup.write("memory.stat", "anon 30\nfile 70\n");
  cgroup.write("memory.events", "low 0\nmax 9\noom_kill 1\n");
  cgroup.write("memory.swap.current", "10\n");
  cgroup.write("memory.swap.max", "500\n");
  cgroup.write("memory.swap.events", "high 0\nmax 8\nfail 0\n");

  const spec::Stats stats = stats_of(cgroup);

  CHECK(stats.cpu.total_ns == 3000);
  CHECK(stats.cpu.user_ns == 1000);
  CHECK(stats.cpu.kernel_ns == 2000);
  CHECK(stats.cpu.periods == 4);
  CHECK(stats.cpu.throttled_periods == 5);
  CHECK(stats.cpu.throttled_ns == 6000);
  CHECK(stats.memory.cache == 70);
  CHECK(stats.memory.raw == std::map<std::string, std::uint64_t>{{"anon", 30}, {"file", 70}});
  CHECK(stats.memory.usage.usage == 100);
  CHECK(stats.memory.usage.limit == 1000);
  CHECK(stats.memory.usage.max == 200);
  CHECK(stats.memory.usage.failures == 9);
  CHECK(stats.memory.memory_and_swap.usage == 110);
  CHECK(stats.memory.memory_and_swap.limit == 1500);
  CHECK(stats.memory.memory_and_swap.failures == 8);
}

TEST_CASE("a sum with something unlimited in it is unlimited", "[cgroups][stats]") {
  struct Case {
    const char* memory;
    const char* swap;
    std::uint64_t sum;
  };
  for (const Case& c : {Case{"max\n", "5\n", spec::kUnlimited}, Case{"5\n", "max\n", spec::kUnlimited},
                        Case{"5\n", "0\n", 5}}) {
    const test::Scratch cgroup;
    cgroup.write("cpu.stat", "");
    cgroup.write("memory.max", c.memory);
    cgroup.write("memory.swap.max", c.swap);
    INFO(c.memory << c.swap);
    CHECK(stats_of(cgroup).memory.memory_and_swap.limit == c.sum);
  }
}

TEST_CASE("processes without a limit have the limit 0, and huge pages are told by size", "[cgroups][stats]") {
  const test::Scratch cgroup;
  cgroup.write("cpu.stat", "");
  cgroup.write("pids.current", "3\n");
  cgroup.write("pids.max", "max\n");
  cgroup.write("hugetlb.2MB.current", "4194304\n");
  cgroup.write("hugetlb.2MB.events", "max 2\n");
  cgroup.write("hugetlb.2MB.rsvd.current", "1\n");
  cgroup.write("cpuset.cpus.effective", "0-1\n");
  cgroup.write("cpuset.mems.effective", "0\n");

  const spec::Stats stats = stats_of(cgroup);

  CHECK(stats.pids.current == 3);
  CHECK(stats.pids.limit == 0);
  REQUIRE(stats.hugetlb.size() == 1);
  CHECK(stats.hugetlb.at("2MB").usage == 4194304);
  CHECK(stats.hugetlb.at("2MB").failures == 2);
  CHECK(stats.cpuset.cpus == std::vector<std::uint16_t>{0, 1});
  CHECK(stats.cpuset.mems == std::vector<std::uint16_t>{0});
  CHECK_FALSE(stats.cpu.pressure.has_value());
}

TEST_CASE("a group that was removed is gone, and not one that has used nothing", "[cgroups][stats]") {
  const test::Scratch empty;
  const UniqueFd cgroup = sys::openat(FdRef::cwd(), empty.path().c_str(), O_RDONLY | O_DIRECTORY).value();

  const Result<spec::Stats> stats = read_stats(cgroup);

  REQUIRE_FALSE(stats.has_value());
  CHECK(is_gone(stats.error()));
}

// Covers: /linux/intelRdt/enableMonitoring
TEST_CASE("a container in resctrl has shares, and what its monitoring group counted",
          "[cgroups][rdt][stats]") {
  const test::Scratch resctrl;
  for (const char* directory :
       {"info/L3", "info/MB", "c1/mon_groups/c1/mon_data/mon_L3_00", "c1/mon_groups/c1/mon_data/mon_L3_01"})
    std::filesystem::create_directories(resctrl.at(directory));
  resctrl.write("info/L3/cbm_mask", "fffff\n");
  resctrl.write("info/L3/min_cbm_bits", "1\n");
  resctrl.write("info/L3/num_closids", "16\n");
  resctrl.write("info/MB/num_closids", "8\n");
  resctrl.write("info/MB/min_bandwidth", "10\n");
  resctrl.write("schemata", "    MB:0=100\n    L3:0=fffff\n");
  resctrl.write("c1/schemata", "    MB:0= 20\n    L3:0=ff\n");
  resctrl.write("c1/mon_groups/c1/mon_data/mon_L3_00/llc_occupancy", "4096\n");
  resctrl.write("c1/mon_groups/c1/mon_data/mon_L3_00/mbm_total_bytes", "7\n");
  resctrl.write("c1/mon_groups/c1/mon_data/mon_L3_00/mbm_local_bytes", "5\n");
  resctrl.write("c1/mon_groups/c1/mon_data/mon_L3_01/llc_occupancy", "Unavailable\n");

  const RdtGroup group{.group = resctrl.at("c1"), .is_ours = true, .monitor = resctrl.at("c1/mon_groups/c1")};
  const spec::RdtStats stats = read_rdt_stats_below(group, resctrl.path()).value();

  REQUIRE(stats.cache.has_value());
  CHECK(stats.cache->cbm_mask == "fffff");
  CHECK(stats.cache->num_closids == 16);
  REQUIRE(stats.bandwidth.has_value());
  CHECK(stats.bandwidth->min_bandwidth == 10);
  CHECK(stats.cache_schema_root == "L3:0=fffff");
  CHECK(stats.cache_schema == "L3:0=ff");
  CHECK(stats.bandwidth_schema == "MB:0= 20");
  CHECK(stats.occupancy == std::vector<std::uint64_t>{4096});
  REQUIRE(stats.bandwidth_use.value().size() == 1);
  CHECK(stats.bandwidth_use->front().total_bytes == 7);
  CHECK(stats.bandwidth_use->front().local_bytes == 5);
}

}  // namespace
}  // namespace capsule::cgroups
