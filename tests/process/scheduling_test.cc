#include <cstring>

#include "runtime/base/log.h"
#include "runtime/process/process_steps.h"
#include "tests/process/steps.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

using test::Steps;

// The kernel's struct sched_attr, read back member by member.
template <class T>
T member(const std::string& attr, std::size_t offset) {
  T value{};
  REQUIRE(offset + sizeof(T) <= attr.size());
  std::memcpy(&value, attr.data() + offset, sizeof(T));
  return value;
}

std::string scheduler_bytes(const spec::Scheduler& scheduler) {
  plan::Builder builder;
  REQUIRE(plan_scheduler(scheduler, "/process/scheduler", builder).has_value());
  const Steps steps(builder);
  const auto* step = steps.find<plan::Scheduler>();
  REQUIRE(step != nullptr);
  CHECK(steps.text(step->header.field) == "/process/scheduler");
  return steps.bytes(step->attr);
}

TEST_CASE("scheduling policies and flags have the kernel's numbers", "[process][scheduler]") {
  struct Policy {
    const char* name;
    std::uint32_t number;
  };
  for (const Policy& p :
       {Policy{"SCHED_OTHER", 0}, Policy{"SCHED_FIFO", 1}, Policy{"SCHED_RR", 2}, Policy{"SCHED_BATCH", 3},
        Policy{"SCHED_ISO", 4}, Policy{"SCHED_IDLE", 5}, Policy{"SCHED_DEADLINE", 6}}) {
    INFO(p.name);
    CHECK(member<std::uint32_t>(scheduler_bytes({.policy = p.name}), 4) == p.number);
  }
  struct Flag {
    const char* name;
    std::uint64_t bit;
    std::uint32_t size;
  };
  for (const Flag& f : {Flag{"SCHED_FLAG_RESET_ON_FORK", 1, 48}, Flag{"SCHED_FLAG_RECLAIM", 2, 48},
                        Flag{"SCHED_FLAG_DL_OVERRUN", 4, 48}, Flag{"SCHED_FLAG_KEEP_POLICY", 8, 48},
                        Flag{"SCHED_FLAG_KEEP_PARAMS", 16, 48}, Flag{"SCHED_FLAG_UTIL_CLAMP_MIN", 32, 56},
                        Flag{"SCHED_FLAG_UTIL_CLAMP_MAX", 64, 56}}) {
    INFO(f.name);
    const std::string attr = scheduler_bytes({.policy = "SCHED_OTHER", .flags = {f.name}});
    CHECK(member<std::uint64_t>(attr, 8) == f.bit);
    CHECK(member<std::uint32_t>(attr, 0) == f.size);
    CHECK(attr.size() == f.size);
  }
}

TEST_CASE("a deadline scheduler carries its three times and combined flags", "[process][scheduler]") {
  const std::string attr = scheduler_bytes({.policy = "SCHED_DEADLINE",
                                            .flags = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN"},
                                            .runtime = 10,
                                            .deadline = 20,
                                            .period = 30});

  CHECK(member<std::uint64_t>(attr, 8) == 5);
  CHECK(member<std::uint64_t>(attr, 24) == 10);
  CHECK(member<std::uint64_t>(attr, 32) == 20);
  CHECK(member<std::uint64_t>(attr, 40) == 30);
}

TEST_CASE("nice and priority go to their members", "[process][scheduler]") {
  CHECK(member<std::int32_t>(scheduler_bytes({.policy = "SCHED_BATCH", .nice = -7}), 16) == -7);
  CHECK(member<std::uint32_t>(scheduler_bytes({.policy = "SCHED_FIFO", .priority = 42}), 20) == 42);
}

TEST_CASE("I/O priorities are a class above a level", "[process][io-priority]") {
  struct Case {
    spec::IoPriority priority;
    std::uint64_t value;
  };
  for (const Case& c : {Case{{"IOPRIO_CLASS_RT", 0}, 0x2000}, Case{{"IOPRIO_CLASS_BE", 4}, 0x4004},
                        Case{{"IOPRIO_CLASS_IDLE", 7}, 0x6007}}) {
    INFO(c.priority.io_class);
    plan::Builder builder;
    REQUIRE(plan_io_priority(c.priority, "/process/ioPriority", builder).has_value());
    const Steps steps(builder);
    const auto* step = steps.find<plan::IoPriority>();
    REQUIRE(step != nullptr);
    CHECK(step->value == c.value);
  }
}

TEST_CASE("memory policies are mode, flags and a node mask", "[process][memory-policy]") {
  struct Case {
    spec::MemoryPolicy policy;
    std::uint64_t mode;
    std::vector<unsigned long> nodes;
  };
  const std::vector<Case> cases = {
      {{"MPOL_DEFAULT", "", {}}, 0, {}},
      {{"MPOL_PREFERRED", "", {}}, 1, {}},
      {{"MPOL_PREFERRED", "1", {}}, 1, {2}},
      {{"MPOL_BIND", "0-1", {"MPOL_F_STATIC_NODES"}}, 0x8002, {3}},
      {{"MPOL_BIND", "0", {"MPOL_F_NUMA_BALANCING"}}, 0x2002, {1}},
      {{"MPOL_INTERLEAVE", "0,2", {"MPOL_F_RELATIVE_NODES"}}, 0x4003, {5}},
      {{"MPOL_LOCAL", "", {}}, 4, {}},
      {{"MPOL_PREFERRED_MANY", "3", {}}, 5, {8}},
      {{"MPOL_WEIGHTED_INTERLEAVE", "0", {}}, 6, {1}},
  };
  for (const Case& c : cases) {
    INFO(c.policy.mode << " " << c.policy.nodes);
    plan::Builder builder;
    REQUIRE(plan_memory_policy(c.policy, "/linux/memoryPolicy", builder).has_value());
    const Steps steps(builder);
    const auto* step = steps.find<plan::MemoryPolicy>();
    REQUIRE(step != nullptr);
    CHECK(step->mode == c.mode);
    const std::string expected(reinterpret_cast<const char*>(c.nodes.data()),
                               c.nodes.size() * sizeof(unsigned long));
    CHECK(steps.bytes(step->nodes) == expected);
  }
}

TEST_CASE("personality domains have the kernel's numbers, and flags are let be", "[process][personality]") {
  struct Case {
    spec::Personality personality;
    std::uint64_t persona;
  };
  for (const Case& c :
       {Case{{"LINUX", {}}, 0}, Case{{"LINUX32", {}}, 8}, Case{{"LINUX32", {"ADDR_NO_RANDOMIZE"}}, 8}}) {
    plan::Builder builder;
    REQUIRE(plan_personality(c.personality, "/linux/personality", builder).has_value());
    const Steps steps(builder);
    const auto* step = steps.find<plan::Personality>();
    REQUIRE(step != nullptr);
    CHECK(step->persona == c.persona);
  }
}

TEST_CASE("names that the kernel does not have are refused with their pointer", "[process][scheduler]") {
  plan::Builder builder;
  struct Case {
    Status status;
    const char* pointer;
  };
  Case cases[] = {
      {plan_scheduler({.policy = "SCHED_FAST"}, "/p/scheduler", builder), "/p/scheduler/policy: "},
      {plan_scheduler({.policy = ""}, "/p/scheduler", builder), "/p/scheduler/policy: "},
      {plan_scheduler({.policy = "SCHED_RR", .flags = {"SCHED_FLAG_RECLAIM", "X"}}, "/p/scheduler", builder),
       "/p/scheduler/flags/1: "},
      {plan_io_priority({"IOPRIO_CLASS_NONE", 0}, "/p/ioPriority", builder), "/p/ioPriority/class: "},
      {plan_io_priority({"IOPRIO_CLASS_BE", 8}, "/p/ioPriority", builder), "/p/ioPriority/priority: "},
      {plan_io_priority({"IOPRIO_CLASS_BE", -1}, "/p/ioPriority", builder), "/p/ioPriority/priority: "},
      {plan_memory_policy({"MPOL_MAGIC", "", {}}, "/linux/memoryPolicy", builder),
       "/linux/memoryPolicy/mode: "},
      {plan_memory_policy({"MPOL_BIND", "0", {"MPOL_F_X"}}, "/linux/memoryPolicy", builder),
       "/linux/memoryPolicy/flags/0: "},
      {plan_memory_policy({"MPOL_BIND", "a", {}}, "/linux/memoryPolicy", builder),
       "/linux/memoryPolicy/nodes: "},
      {plan_memory_policy({"MPOL_BIND", "", {}}, "/linux/memoryPolicy", builder),
       "/linux/memoryPolicy/nodes: "},
      {plan_memory_policy({"MPOL_LOCAL", "0", {}}, "/linux/memoryPolicy", builder),
       "/linux/memoryPolicy/nodes: "},
      {plan_personality({"BSD", {}}, "/linux/personality", builder), "/linux/personality/domain: "},
  };
  for (const Case& c : cases) {
    INFO(c.pointer);
    REQUIRE_FALSE(c.status.has_value());
    CHECK(c.status.error().kind() == ErrorKind::invalid_config);
    CHECK(c.status.error().message().find(c.pointer) == 0);
  }
  CHECK(Steps(builder).kinds().empty());
}

}  // namespace
}  // namespace capsule::process
