#include "cgroups/rdt.h"

#include <filesystem>

#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kMount = "/sys/fs/resctrl";

RdtFacts facts_with(const std::string& schemata) {
  return {.mount = kMount, .group_exists = true, .schemata = schemata};
}

std::string planned(const spec::IntelRdt& rdt, const RdtFacts& facts = {.mount = kMount}) {
  const Result<RdtPlan> plan = plan_rdt(rdt, "c1", facts);
  return plan.has_value() ? describe_rdt(plan.value()) : "error: " + plan.error().message();
}

TEST_CASE("resctrl is found by its type, wherever it is mounted", "[cgroups][rdt]") {
  CHECK(find_resctrl("23 28 0:21 / /sys rw shared:7 - sysfs sysfs rw\n"
                     "40 23 0:36 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n") == kMount);
  CHECK(find_resctrl("40 23 0:36 / /a\\040b rw - resctrl none rw\n") == "/a b");
  CHECK(find_resctrl("40 23 0:36 / /resctrl rw - tmpfs resctrl rw\n").empty());
  CHECK(find_resctrl("").empty());
}

TEST_CASE("without resctrl it is refused, and told what is missing", "[cgroups][rdt]") {
  CHECK(planned({}, {}).starts_with("error: /linux/intelRdt: no resctrl file system is mounted; "));
}

// Covers: /linux/intelRdt/closID
TEST_CASE("the group is closID's, the default one, or named after the container", "[cgroups][rdt]") {
  CHECK(rdt_group_path({.clos_id = "guaranteed"}, "c1", kMount) == "/sys/fs/resctrl/guaranteed");
  CHECK(rdt_group_path({.clos_id = "/"}, "c1", kMount) == "/sys/fs/resctrl");
  CHECK(rdt_group_path({}, "c1", kMount) == "/sys/fs/resctrl/c1");
}

// Covers: /linux/intelRdt/schemata, /linux/intelRdt/l3CacheSchema, /linux/intelRdt/memBwSchema
TEST_CASE("the lines come in the specification's order", "[cgroups][rdt]") {
  struct Case {
    spec::IntelRdt rdt;
    const char* lines;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{.l3_cache_schema = "L3:0=7f0;1=1f"}, "rdt schemata L3:0=7f0;1=1f\n", "the cache alone"},
      {{.mem_bw_schema = "MB:0=20"}, "rdt schemata MB:0=20\n", "the bandwidth alone"},
      {{.l3_cache_schema = "L3:0=f\nMB:0=90", .mem_bw_schema = "MB:0=20"},
       "rdt schemata L3:0=f\nrdt schemata MB:0=20\n",
       "memBwSchema replaces the bandwidth lines of l3CacheSchema"},
      {{.l3_cache_schema = "L3:0=f\nMB:0=90"},
       "rdt schemata L3:0=f\nrdt schemata MB:0=90\n",
       "but nothing is left out without it"},
      {{.schemata = {{"L2:0=3", "MB:0=30"}}, .l3_cache_schema = "L3:0=f", .mem_bw_schema = "MB:0=20"},
       "rdt schemata L3:0=f\nrdt schemata MB:0=20\nrdt schemata L2:0=3\nrdt schemata MB:0=30\n",
       "schemata comes last"},
      {{}, "", "nothing is written without a schema"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned(c.rdt) == std::string("rdt group /sys/fs/resctrl/c1 (new)\n") + c.lines);
  }
}

// Normative: B24
TEST_CASE("a group that exists is joined if it has the shares asked for", "[cgroups][rdt]") {
  const RdtFacts facts = facts_with("    MB:0= 20;1=100\n    L3:0=0000f;1=7F0\n");
  const auto joined = [&](const char* l3, const char* mb) {
    spec::IntelRdt rdt{.clos_id = "one"};
    if (l3 != nullptr) rdt.l3_cache_schema = l3;
    if (mb != nullptr) rdt.mem_bw_schema = mb;
    return planned(rdt, facts);
  };
  const std::string as_it_is = "rdt group /sys/fs/resctrl/one\n";

  CHECK(joined(nullptr, nullptr) == as_it_is);
  CHECK(joined("L3:0=f", nullptr) == as_it_is);
  CHECK(joined("L3:1=07f0;0=F", "MB:0=20") == as_it_is);
  const std::string refused = "error: /linux/intelRdt: ";
  CHECK(joined("L3:0=ff", nullptr) ==
        refused + "\"L3:0=ff\" does not match the schemata of the existing group /sys/fs/resctrl/one");
  CHECK(joined(nullptr, "MB:0=30").starts_with(refused + "\"MB:0=30\" does not match"));
  CHECK(joined("L3:2=f", nullptr).starts_with(refused));
  CHECK(joined("L2:0=f", nullptr).starts_with(refused));
  CHECK(joined("nonsense", nullptr).starts_with(refused));
  CHECK(joined("L3:0", nullptr).starts_with(refused));
}

TEST_CASE("a closID without any schema must name a group that exists", "[cgroups][rdt]") {
  CHECK(planned({.clos_id = "one"}) ==
        "error: /linux/intelRdt/closID: the group /sys/fs/resctrl/one does not exist, and without a schema "
        "none is made");
  CHECK(planned({.clos_id = "one", .schemata = {{"L3:0=f"}}}) ==
        "rdt group /sys/fs/resctrl/one (new)\nrdt schemata L3:0=f\n");
}

// Covers: /linux/intelRdt/enableMonitoring
TEST_CASE("monitoring makes a group inside the group", "[cgroups][rdt]") {
  CHECK(planned({.enable_monitoring = true}) ==
        "rdt group /sys/fs/resctrl/c1 (new)\nrdt monitor /sys/fs/resctrl/c1/mon_groups/c1\n");
  CHECK(planned({.clos_id = "/", .enable_monitoring = true}, facts_with("L3:0=f\n")) ==
        "rdt group /sys/fs/resctrl\nrdt monitor /sys/fs/resctrl/mon_groups/c1\n");
  CHECK(planned({.enable_monitoring = false}) == "rdt group /sys/fs/resctrl/c1 (new)\n");
}

TEST_CASE("names that resctrl keeps for itself are no groups", "[cgroups][rdt]") {
  CHECK(planned({.clos_id = "info"}) ==
        "error: /linux/intelRdt/closID: \"info\" cannot be the name of a group of resctrl");
  CHECK(planned({.clos_id = "a\nb"}).starts_with("error: /linux/intelRdt/closID: "));
  const Result<RdtPlan> named = plan_rdt({}, "mon_groups", {.mount = kMount});
  REQUIRE_FALSE(named.has_value());
  CHECK(named.error().message().starts_with("/linux/intelRdt: \"mon_groups\" cannot be the name"));
}

// ---- the doing, on an ordinary directory

class Resctrl {
 public:
  Resctrl() { std::filesystem::create_directories(scratch_.at("mon_groups")); }
  [[nodiscard]] RdtPlan plan(const spec::IntelRdt& rdt) const {
    Result<RdtFacts> facts = probe_rdt_group(rdt, "c1", scratch_.path());
    REQUIRE(facts.has_value());
    Result<RdtPlan> plan = plan_rdt(rdt, "c1", facts.value());
    INFO((plan.has_value() ? std::string() : plan.error().message()));
    REQUIRE(plan.has_value());
    return std::move(plan).value();
  }
  void make_group(const std::string& name, const std::string& schemata) const {
    std::filesystem::create_directories(scratch_.at(name + "/mon_groups"));
    scratch_.write(name + "/schemata", schemata);
    scratch_.write(name + "/tasks", "");
  }
  // The kernel's files vanish with their directory; these have to go first.
  void forget_files(const std::string& name) const {
    for (const char* file : {"schemata", "tasks"})
      std::filesystem::remove(scratch_.at(name + "/" + file));
  }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(scratch_.at(name)); }
  [[nodiscard]] const test::Scratch& files() const { return scratch_; }

 private:
  test::Scratch scratch_;
};

TEST_CASE("a new group is made, given its shares and joined", "[cgroups][rdt]") {
  const Resctrl resctrl;
  const RdtPlan plan = resctrl.plan({.l3_cache_schema = "L3:0=f", .mem_bw_schema = "MB:0=20"});

  Result<RdtOwner> made = RdtOwner::create(plan);
  REQUIRE(made.has_value());
  RdtOwner owner = std::move(made).value();
  REQUIRE(owner.enter(4242).has_value());
  owner.keep();

  CHECK(resctrl.files().content("c1/schemata") == "L3:0=f\nMB:0=20\n");
  CHECK(resctrl.files().content("c1/tasks") == "4242");
}

TEST_CASE("an existing group is joined and otherwise left alone, also at the end", "[cgroups][rdt]") {
  const Resctrl resctrl;
  resctrl.make_group("one", "    L3:0=f\n");
  const RdtPlan plan =
      resctrl.plan({.clos_id = "one", .l3_cache_schema = "L3:0=f", .enable_monitoring = true});

  Result<RdtOwner> made = RdtOwner::create(plan);
  REQUIRE(made.has_value());
  REQUIRE(made.value().enter(7).has_value());
  CHECK(resctrl.files().content("one/schemata") == "    L3:0=f\n");
  CHECK(resctrl.files().content("one/tasks") == "7");
  CHECK(resctrl.files().content("one/mon_groups/c1/tasks") == "7");

  resctrl.forget_files("one/mon_groups/c1");
  { const RdtOwner ends = std::move(made).value(); }
  CHECK_FALSE(resctrl.has("one/mon_groups/c1"));
  CHECK(resctrl.has("one"));
}

TEST_CASE("what fails half-way leaves no group behind", "[cgroups][rdt]") {
  const Resctrl resctrl;
  const RdtPlan plan = resctrl.plan({.enable_monitoring = true});  // a new directory has no mon_groups here

  const Result<RdtOwner> made = RdtOwner::create(plan);

  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message().starts_with("/linux/intelRdt: mkdirat "));
  CHECK_FALSE(resctrl.has("c1"));
}

TEST_CASE("a refusal is told in the kernel's own words", "[cgroups][rdt]") {
  const Resctrl resctrl;
  std::filesystem::create_directories(resctrl.files().at("info"));
  resctrl.files().write("info/last_cmd_status", "too many monitoring groups\n");

  const Result<RdtOwner> made = RdtOwner::create(resctrl.plan({.enable_monitoring = true}));

  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message().ends_with("; too many monitoring groups"));
}

// Normative: B24
TEST_CASE("at the end only what was made goes, and not from under others", "[cgroups][rdt]") {
  const Resctrl resctrl;
  resctrl.make_group("one", "");
  std::filesystem::remove(resctrl.files().at("one/mon_groups"));
  const std::string group = resctrl.files().at("one");

  REQUIRE(remove_rdt({.group = group, .is_ours = false}).has_value());
  CHECK(resctrl.has("one"));

  resctrl.files().write("one/tasks", "4711\n");
  REQUIRE(remove_rdt({.group = group, .is_ours = true}).has_value());
  CHECK(resctrl.has("one"));

  resctrl.forget_files("one");
  REQUIRE(remove_rdt({.group = group, .is_ours = true}).has_value());
  CHECK_FALSE(resctrl.has("one"));
  CHECK(remove_rdt({.group = group, .is_ours = true, .monitor = group + "/mon_groups/c1"}).has_value());
  CHECK(remove_rdt({}).has_value());
}

}  // namespace
}  // namespace capsule::cgroups
