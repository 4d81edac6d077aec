#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cgroups/cgroup.h"
#include "runtime/base/file.h"
#include "tests/cgroups/kernel_world.h"
#include "tests/support/catch.h"

namespace cgroups = capsule::cgroups;
using capsule::UniqueFd;
using capsule::test::error_of;
using capsule::test::Guest;
using capsule::test::must;
using capsule::test::World;
using Catch::Matchers::Contains;
using cgroups::Cgroup;
using cgroups::FreezeState;
using cgroups::Need;
using cgroups::Write;

namespace {

// Before main: ctest takes exit code 4 for "skipped", and only here nothing has run yet.
struct SkipUnlessPossible {
  SkipUnlessPossible() {
    const std::string reason = capsule::test::why_not();
    if (reason.empty()) return;
    std::fprintf(stderr, "skipped: %s\n", reason.c_str());
    ::_exit(4);
  }
};
const SkipUnlessPossible skip_unless_possible;

constexpr int kLongMs = 5000;

}  // namespace

TEST_CASE("the host's cgroup2 hierarchy is found with our own place in it", "[cgroups][facts]") {
  const cgroups::Facts facts = must(cgroups::probe_facts());

  CHECK(facts.own_path.front() == '/');
  CHECK(::access((facts.mount + "/cgroup.controllers").c_str(), F_OK) == 0);

  const cgroups::Facts without_us = must(cgroups::probe_facts(cgroups::Own::left_out));
  CHECK(without_us.own_path.empty());
  CHECK(without_us.mount == facts.mount);
  CHECK(without_us.controllers == facts.controllers);
}

TEST_CASE("a cgroup that is not kept disappears with every level made for it, and with what runs inside",
          "[cgroups][create]") {
  World world;
  auto cgroup = std::make_unique<Cgroup>(must(Cgroup::create(world.facts, "/a/b/c", {})));
  Guest guest(cgroup->dir());
  world.make("/a/b/c/by-the-container");
  CHECK(cgroup->path() == "/a/b/c");
  CHECK(must(cgroups::read_populated(cgroup->dir())));
  CHECK(must(cgroups::read_pids(cgroup->dir())) == std::vector<pid_t>{guest.pid()});

  cgroup.reset();

  CHECK_FALSE(world.exists("/a"));  // although nobody has reaped the guest
  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
}

TEST_CASE("a cgroup that is assigned over is removed at once", "[cgroups][create]") {
  World world;
  Cgroup cgroup = must(Cgroup::create(world.facts, "/one", {}));

  cgroup = must(Cgroup::create(world.facts, "/other", {}));

  CHECK_FALSE(world.exists("/one"));
  CHECK(world.exists("/other"));
}

TEST_CASE("levels that were there before, or that others moved into, stay", "[cgroups][create]") {
  World world;
  world.make("/a");
  {
    const Cgroup cgroup = must(Cgroup::create(world.facts, "/a/b/c", {}));
    world.make("/a/b/neighbour");
  }

  CHECK(world.exists("/a/b/neighbour"));
  CHECK_FALSE(world.exists("/a/b/c"));
}

TEST_CASE("a kept cgroup stays, can be taken again while empty, and is removed by name",
          "[cgroups][create]") {
  World world;
  {
    Cgroup cgroup = must(Cgroup::create(world.facts, "/a/b", {}));
    Cgroup moved = std::move(cgroup);
    moved.keep();
  }
  CHECK(world.exists("/a/b"));

  auto again = std::make_unique<Cgroup>(must(Cgroup::create(world.facts, "a/b/", {})));
  Guest guest(again->dir());
  again.reset();
  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
  CHECK(world.exists("/a/b"));
  const UniqueFd left = world.open("/a/b");
  CHECK_FALSE(must(cgroups::read_populated(left)));

  must(cgroups::remove(world.facts.mount, "/a/b", false, kLongMs));
  CHECK_FALSE(world.exists("/a/b"));
  must(cgroups::remove(world.facts.mount, "/a/b", false, kLongMs));
  must(cgroups::remove(world.facts.mount, "/never/was", true, kLongMs));
}

TEST_CASE("a cgroup in use is refused, and what lives there is left alone", "[cgroups][create]") {
  World world;
  world.make("/used");
  const UniqueFd below = world.make("/used/below");
  Guest guest(below);

  CHECK(error_of(Cgroup::create(world.facts, "/used", {})) ==
        "container's cgroup is not empty: 1 process(es) found");
  CHECK(guest.wait_signal(0) == 0);

  const UniqueFd frozen = world.make("/frozen");
  must(cgroups::write_freeze(frozen, FreezeState::frozen, kLongMs));
  CHECK(error_of(Cgroup::create(world.facts, "/frozen", {})) == "container's cgroup unexpectedly frozen");
  CHECK(world.exists("/frozen"));
}

TEST_CASE("the root cgroup and a host without cgroup2 are refused in words", "[cgroups][create]") {
  World world;
  CHECK(error_of(Cgroup::create(world.facts, "/", {})) ==
        "/linux/cgroupsPath: must name a cgroup below the root cgroup");

  cgroups::Facts nothing;
  CHECK(error_of(Cgroup::create(nothing, "/a", {})) ==
        "no cgroup2 hierarchy is mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified");
}

TEST_CASE("paths lead neither out of the hierarchy nor through symlinks", "[cgroups][safety]") {
  World world;
  CHECK_THAT(error_of(cgroups::open_cgroup(world.facts.mount, "/../")), Contains("EXDEV"));
  CHECK_THAT(error_of(Cgroup::create(world.facts, "/a/../../x", {})), Contains("EXDEV"));
  CHECK_FALSE(world.exists("/a"));
}

TEST_CASE("what is kept in cgroup v1 is looked up for the error, where nobody had asked before",
          "[cgroups][controllers]") {
  World world;
  world.facts.controllers = {"cpu"};
  world.facts.own_path.clear();
  world.facts.v1_controllers.clear();
  const std::vector<std::string> v1 = must(cgroups::read_membership()).v1_controllers;
  const bool in_v1 = std::find(v1.begin(), v1.end(), "memory") != v1.end();

  CHECK_THAT(error_of(Cgroup::create(world.facts, "/a", {{"memory", "/linux/resources/memory/limit"}})),
             Contains(in_v1 ? "keeps in cgroup v1" : "does not offer"));
}

TEST_CASE("a controller that is not to be had is an error with field, controller and reason",
          "[cgroups][controllers]") {
  World world;
  world.facts.controllers = {"cpu"};
  world.facts.v1_controllers = {"memory", "blkio"};
  struct Case {
    Need need;
    const char* expected;
    const char* because;
  };
  const std::string offer =
      "/linux/resources/x: needs the nosuch controller, which the kernel does not offer at ";
  const std::string no_offer = offer + world.facts.mount;
  const std::vector<Case> cases = {
      {{"memory", "/linux/resources/memory/limit"},
       "/linux/resources/memory/limit: needs the memory controller, which this host keeps in cgroup v1 "
       "(mounted beside cgroup2)",
       "hybrid"},
      {{"io", "/linux/resources/blockIO/weight"},
       "/linux/resources/blockIO/weight: needs the io controller, which this host keeps in cgroup v1 "
       "(mounted beside cgroup2)",
       "io was blkio"},
      {{"nosuch", "/linux/resources/x"}, no_offer.c_str(), "unknown"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(error_of(Cgroup::create(world.facts, "/a/b", {each.need})) == each.expected);
    CHECK_FALSE(world.exists("/a"));
  }
}

TEST_CASE("a controller that a level cannot hand down is an error that names the level",
          "[cgroups][controllers]") {
  World world;
  if (world.facts.controllers.empty()) {
    WARN("not run: no controller is delegated to the test's cgroup");
    return;
  }
  const Need need{world.facts.controllers.front(), "/linux/resources/x"};
  const Cgroup fine = must(Cgroup::create(world.facts, "/a/b", {need}));
  CHECK_THAT(world.read("/a/b/cgroup.controllers"), Contains(need.controller));

  const UniqueFd busy = world.make("/busy");
  const Guest guest(busy);
  CHECK(error_of(Cgroup::create(world.facts, "/busy/b", {need})) ==
        "/linux/resources/x: needs the " + need.controller +
            " controller, which is not delegated to /busy/b; cgroup.subtree_control of /busy: device or "
            "resource busy "
            "(EBUSY), it has processes of its own");
  CHECK_FALSE(world.exists("/busy/b"));
}

TEST_CASE("a cgroup below a threaded one cannot hold a container", "[cgroups][create]") {
  World world;
  world.make("/pool");
  const UniqueFd threads = world.make("/pool/threads");
  must(capsule::write_kernel_file(threads, "cgroup.type", "threaded"));

  CHECK_THAT(error_of(Cgroup::create(world.facts, "/pool/c1", {})),
             Contains("cgroup /pool/c1 cannot hold a container"));
  CHECK_FALSE(world.exists("/pool/c1"));
}

TEST_CASE("writes reach the kernel's files, and errors carry the field", "[cgroups][apply]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));

  must(cgroup.apply(
      {{.file = "cgroup.max.depth", .value = "3", .field = "/linux/resources/unified/cgroup.max.depth"}}));
  CHECK(world.read("/a/cgroup.max.depth") == "3\n");

  CHECK_THAT(error_of(cgroup.apply({{.file = "cgroup.max.depth", .value = "deep", .field = "/field"}})),
             Contains("/field: cgroup.max.depth: write") && Contains("EINVAL"));
  CHECK(error_of(cgroup.apply({{.file = "nosuch.max", .value = "1", .field = "/field"}})) ==
        "/field: the cgroup has no file nosuch.max: the nosuch controller is not available in it, or the "
        "kernel does not "
        "know the file");
  CHECK_FALSE(cgroup.apply({{.file = "../cgroup.max.depth", .value = "1", .field = "/field"}}).has_value());
}

TEST_CASE("a missing file is no error where nothing was asked or something else will do",
          "[cgroups][apply]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));

  must(cgroup.apply({{.file = "nosuch.max", .value = "max", .field = "/field", .optional = true}}));
  must(cgroup.apply({{.file = "nosuch.weight",
                      .value = "500",
                      .field = "/field",
                      .fallback_file = "cgroup.max.depth",
                      .fallback_value = "7"}}));
  CHECK(world.read("/a/cgroup.max.depth") == "7\n");
}

TEST_CASE("a line that comes again may be refused the first time, and only then", "[cgroups][apply]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  const Write refused{.file = "cgroup.max.depth", .value = "deep", .field = "/field"};
  const Write other{.file = "cgroup.max.descendants", .value = "5", .field = "/other"};

  CHECK_THAT(error_of(cgroup.apply({refused, other, refused})), Contains("/field"));
  CHECK(world.read("/a/cgroup.max.descendants") == "5\n");
}

// Covers: /linux/resources/memory/checkBeforeUpdate
TEST_CASE("a limit below the usage is rejected before anything is written, if asked for",
          "[cgroups][apply]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  must(cgroup.apply({{.file = "cgroup.max.depth", .value = "9", .field = "/usage"}}));

  CHECK(error_of(cgroup.apply({{.file = "cgroup.max.descendants", .value = "1", .field = "/first"},
                               {.file = "cgroup.max.descendants",
                                .value = "8",
                                .field = "/limit",
                                .usage_file = "cgroup.max.depth"}})) ==
        "/limit: rejecting memory limit 8 <= usage 9");
  CHECK(world.read("/a/cgroup.max.descendants") == "max\n");
}

// Covers: /linux/resources/hugepageLimits/*/pageSize, /linux/resources/hugepageLimits/*/limit
TEST_CASE("huge page limits are set where the controller is", "[cgroups][hugetlb]") {
  World world;
  const auto& controllers = world.facts.controllers;
  if (std::find(controllers.begin(), controllers.end(), "hugetlb") == controllers.end()) {
    WARN("not run: the hugetlb controller is not delegated to the test's cgroup");
    return;
  }
  capsule::spec::LinuxResources resources;
  resources.hugepage_limits = {{"2MB", 4194304}};
  const std::vector<Write> writes = must(cgroups::plan_unified(resources));
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", cgroups::needed_controllers(writes)));

  must(cgroup.apply(writes));

  CHECK(world.read("/a/hugetlb.2MB.max") == "4194304\n");
  CHECK(world.read("/a/hugetlb.2MB.rsvd.max") == "4194304\n");
}

// Normative: B19
TEST_CASE("an owner gets the directory and what the kernel delegates, but not the limits",
          "[cgroups][owner]") {
  constexpr uid_t kOwner = 1234;
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));

  must(cgroups::apply_owner(cgroup.dir(), kOwner));

  CHECK(world.owner("/a") == kOwner);
  CHECK(world.owner("/a/cgroup.procs") == kOwner);
  CHECK(world.owner("/a/cgroup.subtree_control") == kOwner);
  CHECK(world.owner("/a/cgroup.max.depth") == 0);
  CHECK(world.owner("/a/cgroup.freeze") == 0);
}
