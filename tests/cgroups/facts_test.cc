#include "cgroups/facts.h"

#include <string>
#include <vector>

#include "cgroups/plan.h"
#include "tests/support/catch.h"

using capsule::cgroups::Facts;
using capsule::cgroups::Membership;
using capsule::cgroups::parse_proc_cgroup;
using capsule::cgroups::plan_path;

TEST_CASE("a process's cgroup is read from the line of hierarchy 0", "[cgroups][facts]") {
  struct Case {
    const char* text;
    const char* path;
    std::vector<std::string> v1_controllers;
    const char* because;
  };
  const std::vector<Case> cases = {
      {"0::/user.slice/x.scope\n", "/user.slice/x.scope", {}, "a unified host has this one line"},
      {"0::/\n", "/", {}, "the root of a cgroup namespace"},
      {"9:name=systemd:/a\n4:memory:/m\n0::/b\n",
       "/b",
       {"memory"},
       "systemd's named hierarchy has no controllers"},
      {"3:cpu,cpuacct:/c\n2:blkio:/\n0::/\n",
       "/",
       {"cpu", "cpuacct", "blkio"},
       "co-mounted controllers share a line"},
      {"0::/odd:name\n", "/odd:name", {}, "a path may hold colons"},
      {"10:memory:/only/v1\n", "/", {"memory"}, "a v1 host has no line of hierarchy 0"},
      {"", "/", {}, "nothing at all"},
      {"garbage\n", "/", {}, "not a line of this file"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    const Membership membership = parse_proc_cgroup(each.text);
    CHECK(membership.path == each.path);
    CHECK(membership.v1_controllers == each.v1_controllers);
  }
}

TEST_CASE("a container's cgroup lies where cgroupsPath says, never outside the hierarchy",
          "[cgroups][path]") {
  struct Case {
    std::optional<std::string> cgroups_path;
    const char* own;
    const char* expected;
    const char* because;
  };
  const std::vector<Case> cases = {
      {"/a/b", "/user/me", "/a/b", "absolute: below the mount point"},
      {"/a//./b/", "/", "/a/b", "cleaned"},
      {"/a/../../../etc", "/", "/etc", "\"..\" stops at the mount point"},
      {"/", "/user/me", "/", "refused later, by create"},
      {"a/b", "/user/me", "/user/a/b", "relative: beside the caller's own cgroup"},
      {"a/b", "/", "/a/b", "relative, at the root"},
      {"../b", "/user/slice/me", "/user/slice/b", "relative paths stay on the caller's level"},
      {std::nullopt, "/user/me", "/user/c1", "absent: the id, beside the caller's own cgroup"},
      {std::nullopt, "/me", "/c1", "absent, one level down"},
      {std::nullopt, "/", "/c1", "absent, at the root"},
      {"", "/user/me", "/user/c1", "empty is absent"},
      {std::nullopt, "/../outside/me", "/outside/c1", "own cgroup outside the cgroup namespace's root"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    Facts facts;
    facts.own_path = each.own;
    CHECK(plan_path(each.cgroups_path, "c1", facts) == each.expected);
  }
}

TEST_CASE("where delegation begins at the caller's own cgroup, containers are below that",
          "[cgroups][facts]") {
  Facts facts;
  facts.own_path = "/user.slice/mine.scope";
  facts.own_is_top = true;
  CHECK(plan_path(std::nullopt, "c1", facts) == "/user.slice/mine.scope/c1");
  CHECK(plan_path("a/b", "c1", facts) == "/user.slice/mine.scope/a/b");
  CHECK(plan_path("/a/b", "c1", facts) == "/a/b");
}
