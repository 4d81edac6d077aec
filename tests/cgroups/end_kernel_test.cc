// Freezing, signalling, killing and removing real cgroups.
#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "cgroups/cgroup.h"
#include "cgroups/kill.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
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

namespace {

constexpr int kLongMs = 5000;

}  // namespace

TEST_CASE("a frozen cgroup stands still until it is thawed", "[cgroups][freeze]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  Guest guest(cgroup.dir());
  CHECK(must(cgroups::read_freeze(cgroup.dir())) == FreezeState::thawed);

  must(cgroups::write_freeze(cgroup.dir(), FreezeState::frozen, kLongMs));
  CHECK(must(cgroups::read_freeze(cgroup.dir())) == FreezeState::frozen);
  CHECK_THAT(world.read("/a/cgroup.events"), Contains("frozen 1"));
  must(cgroups::signal_all(cgroup.dir(), SIGUSR1));
  CHECK(guest.wait_signal(50) == 0);
  CHECK(must(cgroups::read_freeze(cgroup.dir())) == FreezeState::frozen);

  must(cgroups::write_freeze(cgroup.dir(), FreezeState::thawed, kLongMs));
  CHECK(guest.wait_signal(kLongMs) == SIGTERM);
}

TEST_CASE("what does not freeze in time is named, and nothing stays half frozen", "[cgroups][freeze]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  const Guest bystander(cgroup.dir());
  Guest stuck(cgroup.dir());
  if (!stuck.sleep_uninterruptibly()) {
    WARN("not run: no FUSE file system can be mounted");
    return;
  }

  const std::string error = error_of(cgroups::write_freeze(cgroup.dir(), FreezeState::frozen, 100));

  CHECK_THAT(error, Contains("cgroup not frozen within 100 ms: 2 processes remain: ") &&
                        Contains(std::to_string(stuck.pid()) + " cgroups_kernel_ (D"));
  CHECK(must(cgroups::read_freeze(cgroup.dir())) == FreezeState::thawed);
}

TEST_CASE("every process in the tree is signalled", "[cgroups][kill]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  world.make("/a/deep");
  const UniqueFd deeper = world.make("/a/deep/deeper");
  Guest above(cgroup.dir());
  Guest below(deeper);

  must(cgroups::signal_all(cgroup.dir(), SIGTERM));

  CHECK(above.wait_signal(kLongMs) == SIGTERM);
  CHECK(below.wait_signal(kLongMs) == SIGTERM);
}

TEST_CASE("a frozen cgroup is killed without running again", "[cgroups][kill]") {
  World world;
  const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
  Guest guest(cgroup.dir());
  must(cgroups::write_freeze(cgroup.dir(), FreezeState::frozen, kLongMs));

  must(cgroups::kill_all(cgroup.dir()));

  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
  CHECK(must(cgroups::read_freeze(cgroup.dir())) == FreezeState::frozen);
}

TEST_CASE("without cgroup.kill each process is killed, frozen or not", "[cgroups][kill]") {
  World world;
  for (const FreezeState state : {FreezeState::thawed, FreezeState::frozen}) {
    const Cgroup cgroup = must(Cgroup::create(world.facts, "/a", {}));
    Guest guest(cgroup.dir());
    guest.fork_sleepers(20);
    CHECK(must(cgroups::read_pids(cgroup.dir())).size() == 21);
    must(cgroups::write_freeze(cgroup.dir(), state, kLongMs));

    must(cgroups::kill_each(cgroup.dir()));

    CHECK(guest.wait_signal(kLongMs) == SIGKILL);
    must(cgroups::remove(world.facts.mount, "/a", false, kLongMs));
  }
}

TEST_CASE("a process goes with its cgroup although its first thread has ended", "[cgroups][kill]") {
  World world;
  for (const bool removes : {false, true}) {
    const UniqueFd cgroup = world.make("/a");
    Guest guest(cgroup);
    CHECK(guest.end_first_thread() > 0);

    if (!removes) must(cgroups::kill_all(cgroup));
    must(cgroups::remove(world.facts.mount, "/a", removes, kLongMs));

    CHECK(guest.wait_signal(kLongMs) == SIGKILL);
  }
}

TEST_CASE("threads in a threaded cgroup are not told as processes", "[cgroups][kill]") {
  World world;
  const UniqueFd cgroup = world.make("/a");
  Guest guest(cgroup);
  const UniqueFd threads = world.make("/a/threads");
  must(capsule::write_kernel_file(threads, "cgroup.type", "threaded"));
  const pid_t thread = guest.end_first_thread();
  must(capsule::write_kernel_file(threads, "cgroup.threads", std::to_string(thread)));

  CHECK(must(cgroups::read_pids(cgroup)) == std::vector<pid_t>{guest.pid()});
  CHECK(must(cgroups::read_pids(threads)) == std::vector<pid_t>{thread});
  must(cgroups::kill_all(cgroup));
  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
}

TEST_CASE("more processes are signalled than descriptors may be open", "[cgroups][kill]") {
  World world;
  const UniqueFd cgroup = world.make("/a");
  Guest guest(cgroup);
  guest.fork_sleepers(300);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{200, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);

  const std::string error = error_of(cgroups::signal_all(cgroup, SIGTERM));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);

  CHECK(error.empty());
  CHECK(guest.wait_signal(kLongMs) == SIGTERM);
  must(cgroups::remove(world.facts.mount, "/a", false, kLongMs));  // nobody is left
}

TEST_CASE("removal waits no longer than told, and names what remains", "[cgroups][remove]") {
  World world;
  world.make("/a");
  const UniqueFd below = world.make("/a/below");
  Guest guest(below);
  const auto begin = std::chrono::steady_clock::now();

  const std::string error = error_of(cgroups::remove(world.facts.mount, "/a", false, 100));

  CHECK(error == "cgroup /a not removed within 100 ms: 1 process remains: " + std::to_string(guest.pid()) +
                     " cgroups_kernel_ (S, " + error.substr(error.rfind(", ") + 2));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(3));
  CHECK(guest.wait_signal(0) == 0);
}

TEST_CASE("removal waits for those who are about to go", "[cgroups][remove]") {
  World world;
  const UniqueFd cgroup = world.make("/a");
  Guest guest(cgroup);
  guest.fork_sleepers(30);

  must(cgroups::remove(world.facts.mount, "/a", true, kLongMs));

  CHECK_FALSE(world.exists("/a"));
  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
}

TEST_CASE("a tree as deep as a container may nest it is removed", "[cgroups][remove]") {
  World world;
  std::string path = "/a";
  world.make(path);
  for (int depth = 0; depth < 300; ++depth)
    world.make(path += "/n");
  for (int width = 0; width < 20; ++width)
    world.make("/a/w" + std::to_string(width));

  must(cgroups::remove(world.facts.mount, "/a", true, kLongMs));

  CHECK_FALSE(world.exists("/a"));
}

TEST_CASE("a tree deeper than any path is listed and removed", "[cgroups][remove]") {
  World world;
  UniqueFd level = world.make("/a");
  const std::string name(200, 'n');
  for (int depth = 0; depth < 50; ++depth) {
    must(capsule::sys::mkdirat(level, name.c_str(), 0755));
    level = must(capsule::sys::openat(level, name.c_str(), O_RDONLY | O_DIRECTORY));
  }
  Guest guest(level);

  const UniqueFd top = world.open("/a");
  CHECK(must(cgroups::read_pids(top)) == std::vector<pid_t>{guest.pid()});
  must(cgroups::remove(world.facts.mount, "/a", true, kLongMs));

  CHECK_FALSE(world.exists("/a"));
  CHECK(guest.wait_signal(kLongMs) == SIGKILL);
}

TEST_CASE("a cgroup that vanished counts as empty, and killing it as done", "[cgroups][remove]") {
  World world;
  const UniqueFd gone = world.make("/a");
  must(cgroups::remove(world.facts.mount, "/a", false, kLongMs));

  CHECK_FALSE(must(cgroups::read_populated(gone)));
  CHECK(must(cgroups::read_pids(gone)).empty());
  CHECK(cgroups::read_oom_kills(gone) == 0);
  must(cgroups::kill_all(gone));
  must(cgroups::signal_all(gone, SIGTERM));
}
