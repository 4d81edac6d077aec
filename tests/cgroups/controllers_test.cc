#include "cgroups/controllers.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

using capsule::FdRef;
using capsule::cgroups::enable_controllers;
using capsule::test::Scratch;

namespace {

// A cgroup's files, as plain ones: what is written to cgroup.subtree_control is what would be asked of the
// kernel.
struct Files {
  Scratch scratch;

  Files(const std::string& type, const std::string& processes) {
    if (!type.empty()) scratch.write("cgroup.type", type);
    scratch.write("cgroup.procs", processes);
    scratch.write("cgroup.subtree_control", "");
  }

  std::string asked_for(const std::vector<std::string>& controllers) const {
    const auto cgroup = capsule::sys::openat(FdRef::cwd(), scratch.path().c_str(), O_RDONLY | O_DIRECTORY);
    REQUIRE(cgroup.has_value());
    enable_controllers(cgroup.value(), controllers);
    return scratch.content("cgroup.subtree_control");
  }
};

}  // namespace

TEST_CASE("controllers that would make a cgroup with processes threaded are not handed down from it",
          "[cgroups][controllers]") {
  CHECK(Files("domain\n", "7\n").asked_for({"cpu", "cpuset", "perf_event", "pids"}).empty());
}

TEST_CASE("controllers are handed down in one line", "[cgroups][controllers]") {
  CHECK(Files("domain\n", "").asked_for({"cpu", "pids"}) == "+cpu +pids");
  CHECK(Files("domain\n", "").asked_for({"cpu", "memory"}) == "+cpu +memory");
  CHECK(Files("", "7\n").asked_for({"cpu", "pids"}) == "+cpu +pids");              // the root of all
  CHECK(Files("domain\n", "7\n").asked_for({"cpu", "memory"}) == "+cpu +memory");  // which the kernel refuses
}
