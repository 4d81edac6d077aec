#include "cgroups/update.h"

#include <fcntl.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/sys.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::cgroups {
namespace {

using Lines = std::vector<std::string>;

Lines planned(const spec::LinuxResources& old, const spec::LinuxResources& change) {
  const Result<Update> update = plan_update(old, change);
  if (!update.has_value()) return {"error " + update.error().message()};
  Lines lines;
  for (const Write& write : update.value().writes)
    lines.push_back(write.file + "=" + write.value);
  return lines;
}

Lines planned_memory(const spec::Memory& old, const spec::Memory& change) {
  spec::LinuxResources before;
  before.memory = old;
  spec::LinuxResources asked;
  asked.memory = change;
  return planned(before, asked);
}

Lines planned_cpu(const spec::Cpu& old, const spec::Cpu& change) {
  spec::LinuxResources before;
  before.cpu = old;
  spec::LinuxResources asked;
  asked.cpu = change;
  return planned(before, asked);
}

spec::Memory merged_memory(const spec::Memory& old, const spec::Memory& change) {
  spec::LinuxResources before;
  before.memory = old;
  spec::LinuxResources asked;
  asked.memory = change;
  return *merge_resources(before, asked).memory;
}

// An ordinary directory in the place of a cgroup. Values of one length, since nothing truncates its files.
class Imitation {
 public:
  explicit Imitation(const Lines& files)
      : dir_(sys::openat(FdRef::cwd(), scratch_.path().c_str(), O_RDONLY | O_DIRECTORY).value()) {
    for (const std::string& file : files) {
      const std::size_t equals = file.find('=');
      scratch_.write(file.substr(0, equals), file.substr(equals + 1));
    }
  }
  [[nodiscard]] FdRef dir() const { return dir_; }
  [[nodiscard]] std::string text(const char* name) const { return scratch_.content(name); }

 private:
  test::Scratch scratch_;
  UniqueFd dir_;
};

}  // namespace

TEST_CASE("an update writes what was asked for and nothing else", "[cgroups][update]") {
  CHECK(planned_memory({.limit = 200, .reservation = 50, .swap = 300}, {.limit = 100}) ==
        Lines{"memory.max=100"});
  CHECK(planned_memory({.limit = 200}, {.reservation = 20}) == Lines{"memory.low=20"});
  CHECK(planned_memory({.limit = 200}, {.swap = 300}) == Lines{"memory.swap.max=100"});
  CHECK(planned_memory({.limit = 200}, {.limit = 100, .swap = 300}) ==
        Lines{"memory.swap.max=200", "memory.max=100"});
  CHECK(planned_memory({.limit = 200, .swap = 300}, {.limit = -1}) ==
        Lines{"memory.swap.max=max", "memory.max=max"});
  CHECK(planned_memory({.limit = 200}, {.limit = 0, .reservation = 0, .swap = 0}).empty());
  CHECK(planned_memory({}, {.swap = 300}).front().starts_with("error /linux/resources/memory/swap: "));
}

TEST_CASE("quota and period are written together, whichever is given", "[cgroups][update]") {
  CHECK(planned_cpu({.quota = 30000, .period = 50000}, {.quota = 20000}) == Lines{"cpu.max=20000 50000"});
  CHECK(planned_cpu({.quota = 30000, .period = 50000}, {.period = 60000}) == Lines{"cpu.max=30000 60000"});
  CHECK(planned_cpu({.quota = 30000, .period = 50000}, {.quota = -1}) == Lines{"cpu.max=max 50000"});
  CHECK(planned_cpu({.quota = 30000}, {.cpus = "0"}) == Lines{"cpuset.cpus=0"});
}

TEST_CASE("what was idle gets its weight back", "[cgroups][update]") {
  CHECK(planned_cpu({.shares = 2, .idle = 1}, {.idle = 0}) == Lines{"cpu.idle=0", "cpu.weight=1"});
  CHECK(planned_cpu({.shares = 2}, {.idle = 1}) == Lines{"cpu.idle=1"});
}

// Covers: /linux/resources/memory/checkBeforeUpdate
TEST_CASE("the usage is looked at if config or update asks for it", "[cgroups][update]") {
  spec::LinuxResources old;
  old.memory = spec::Memory{.limit = 200, .check_before_update = true};
  spec::LinuxResources change;
  change.memory = spec::Memory{.limit = 100};
  CHECK(plan_update(old, change).value().writes.at(0).usage_file == "memory.current");
  change.memory->check_before_update = false;
  CHECK(plan_update(old, change).value().writes.at(0).usage_file.empty());
}

TEST_CASE("a new limit leaves the swap beyond it alone", "[cgroups][update]") {
  CHECK(merged_memory({.limit = 200, .swap = 300}, {.limit = 100}).swap == 200);
  CHECK(merged_memory({.limit = 200, .swap = 200}, {.limit = 1000}).swap == 1000);
  CHECK(merged_memory({.limit = 200, .swap = 300}, {.limit = -1}).swap == -1);
  CHECK(merged_memory({.limit = 200, .swap = -1}, {.limit = 100}).swap == -1);
  CHECK(merged_memory({.limit = -1, .swap = 300}, {.limit = 100}).swap == 400);
  CHECK_FALSE(merged_memory({.limit = 200}, {.limit = 100}).swap.has_value());
  CHECK(merged_memory({.limit = 200, .swap = 300}, {.limit = 100, .swap = 150}).swap == 150);
}

TEST_CASE("lists are merged by what they name", "[cgroups][update]") {
  spec::LinuxResources old;
  old.block_io.emplace().throttle_read_bps_device = {{8, 0, 100}, {8, 16, 200}};
  old.hugepage_limits = {{"2MB", 1}, {"1GB", 2}};
  old.unified = {{"a.max", "1"}, {"pids.max", "7"}};
  old.rdma["mlx"].hca_handles = 3;
  old.devices = {{.allow = true}};
  spec::LinuxResources change;
  change.block_io.emplace().throttle_read_bps_device = {{8, 16, 5}, {8, 32, 6}};
  change.hugepage_limits = {{"1GB", 9}};
  change.unified = {{"b.max", "2"}};
  change.rdma["mlx"].hca_objects = 4;
  change.devices = {{.allow = false}, {.allow = false}};
  change.pids = spec::Pids{.limit = 0};

  const spec::LinuxResources merged = plan_update(old, change).value().resources;

  const auto& throttles = merged.block_io->throttle_read_bps_device;
  REQUIRE(throttles.size() == 3);
  CHECK(throttles[0].rate == 100);
  CHECK(throttles[1].rate == 5);
  CHECK(throttles[2].minor == 32);
  REQUIRE(merged.hugepage_limits.size() == 2);
  CHECK(merged.hugepage_limits[1].limit == 9);
  CHECK(merged.rdma.at("mlx").hca_handles == 3);
  CHECK(merged.rdma.at("mlx").hca_objects == 4);
  CHECK(merged.pids->limit == 0);
  CHECK(merged.devices.size() == 1);
  CHECK(merged.unified == std::map<std::string, std::string>{{"a.max", "1"}, {"b.max", "2"}});
}

TEST_CASE("what puts a file back depends on its form", "[cgroups][update]") {
  struct Case {
    const char* file;
    const char* content;
    Lines written;
    Lines restored;
  };
  const Case cases[] = {
      {"memory.max", "max\n", {"100"}, {"max"}},
      {"cpuset.cpus", "\n", {"0"}, {"\n"}},
      {"io.max", "", {"8:0 rbps=5", "8:0 wbps=6"}, {"8:0 rbps=max", "8:0 wbps=max"}},
      {"io.max",
       "8:0 rbps=1 wbps=max\n8:16 rbps=2 wbps=max\n",
       {"8:0 rbps=5"},
       {"8:0 rbps=1 wbps=max", "8:16 rbps=2 wbps=max"}},
      {"io.weight", "default 100\n", {"8:0 50", "60"}, {"8:0 default", "100"}},
      {"cgroup.subtree_control", "cpu io\n", {"+memory -io"}, {"-memory +io"}},
  };
  for (const Case& c : cases) {
    INFO(c.file << " " << c.content);
    CHECK(plan_restore(c.file, c.content, c.written) == c.restored);
  }
}

TEST_CASE("writes that are not kept are undone, whole", "[cgroups][update]") {
  const Imitation cgroup({"memory.max=200", "pids.max=max", "cpu.max=3000 5000"});
  const std::vector<Write> writes = {{.file = "memory.max", .value = "100", .field = "/a"},
                                     {.file = "pids.max", .value = "700", .field = "/b"}};
  {
    const Result<AppliedWrites> applied = AppliedWrites::apply(cgroup.dir(), writes);
    REQUIRE(applied.has_value());
    CHECK(cgroup.text("memory.max") == "100");
  }
  CHECK(cgroup.text("memory.max") == "200");
  CHECK(cgroup.text("pids.max") == "max");
}

TEST_CASE("a write that fails undoes those before it", "[cgroups][update]") {
  const Imitation cgroup({"memory.max=200"});
  const std::vector<Write> writes = {{.file = "memory.max", .value = "100", .field = "/a"},
                                     {.file = "pids.max", .value = "7", .field = "/b"}};

  const Result<AppliedWrites> applied = AppliedWrites::apply(cgroup.dir(), writes);

  REQUIRE_FALSE(applied.has_value());
  CHECK(applied.error().message().starts_with("/b: the cgroup has no file pids.max"));
  CHECK(cgroup.text("memory.max") == "200");
}

TEST_CASE("writes that are kept stay", "[cgroups][update]") {
  const Imitation cgroup({"memory.max=200"});
  {
    Result<AppliedWrites> applied =
        AppliedWrites::apply(cgroup.dir(), {{.file = "memory.max", .value = "100", .field = "/a"}});
    REQUIRE(applied.has_value());
    AppliedWrites moved = std::move(applied).value();
    moved.keep();
  }
  CHECK(cgroup.text("memory.max") == "100");
}

}  // namespace capsule::cgroups
