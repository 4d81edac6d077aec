// What only a real cgroup shows: freezing, and reaching processes that are not init.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/base/pidfd.h"
#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

// A cgroup2 mount that only this process sees, with a cgroup of this test's own in it.
class TestCgroup {
 public:
  TestCgroup() {
    if ((skipped_ = enter_private_mount_namespace())) return;
    if (::mount("none", mount_.path().c_str(), "cgroup2", 0, nullptr) != 0) {
      skipped_ = std::string("cgroup2 cannot be mounted: ") + std::strerror(errno);
      return;
    }
    is_mounted_ = true;
    path_ = "/capsule-container-test-" + std::to_string(::getpid());
    if (::mkdir(directory().c_str(), 0755) != 0) {
      skipped_ = std::string("no cgroup can be made: ") + std::strerror(errno);
    }
  }
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  ~TestCgroup() {
    if (!is_mounted_) return;
    for (int attempt = 0; attempt < 200 && ::rmdir(directory().c_str()) != 0 && errno == EBUSY; ++attempt) {
      (void)::usleep(5000);  // the last of the dying
    }
    (void)::umount2(mount_.path().c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool is_missing() const {
    if (skipped_) WARN("skipped: " << *skipped_);
    return skipped_.has_value();
  }
  [[nodiscard]] std::string directory() const { return mount_.path() + path_; }
  [[nodiscard]] bool is_there() const { return exists(directory()); }
  [[nodiscard]] bool is_frozen() const { return read_text(directory() + "/cgroup.freeze") == "1\n"; }
  void add(const Sleeper& process) const {
    write_text(directory() + "/cgroup.procs", std::to_string(process.pid()));
  }

  [[nodiscard]] spec::Record record(const std::string& id, const Sleeper& init) const {
    spec::Record record = record_of(id, init);
    record.cgroup_mount = mount_.path();
    record.cgroup_path = path_;
    return record;
  }

 private:
  TempDir mount_;
  std::string path_;
  bool is_mounted_ = false;
  std::optional<std::string> skipped_;
};

}  // namespace

TEST_CASE("a container is paused and resumed, and only then", "[container][pause]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  const Sleeper init;
  cgroup.add(init);
  put(root, cgroup.record("c1", init));

  CHECK(says(resume(open(root, "c1")), "container not paused"));
  CHECK(pause(open(root, "c1")).has_value());
  CHECK(cgroup.is_frozen());
  CHECK(open(root, "c1").status() == ContainerStatus::paused);
  CHECK(says(pause(open(root, "c1")), "container not running"));
  CHECK(resume(open(root, "c1")).has_value());
  CHECK(!cgroup.is_frozen());
  CHECK(open(root, "c1").status() == ContainerStatus::running);
}

TEST_CASE("a created container that is paused is created again once resumed", "[container][pause]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  const Sleeper init;
  cgroup.add(init);
  put(root, cgroup.record("c1", init));
  put_gate(root, "c1");

  REQUIRE(pause(open(root, "c1")).has_value());
  CHECK(open(root, "c1").status() == ContainerStatus::paused);
  REQUIRE(resume(open(root, "c1")).has_value());
  CHECK(open(root, "c1").status() == ContainerStatus::created);
}

TEST_CASE("a stopped container is neither paused nor resumed", "[container][pause]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper init;
  put(root, cgroup.record("c1", init));
  init.become_zombie();

  CHECK(says(pause(open(root, "c1")), "container not running"));
  CHECK(says(resume(open(root, "c1")), "container not paused"));
}

TEST_CASE("SIGKILL ends a paused container and leaves its cgroup thawed", "[container][kill]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper init;
  cgroup.add(init);
  put(root, cgroup.record("c1", init));
  REQUIRE(pause(open(root, "c1")).has_value());

  CHECK(kill(open(root, "c1"), {.signal = SIGKILL}).has_value());

  CHECK(init.wait_for_signal() == SIGKILL);
  CHECK(!cgroup.is_frozen());
}

TEST_CASE("a signal that does not kill leaves a paused container paused", "[container][kill]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  const Sleeper init;
  cgroup.add(init);
  put(root, cgroup.record("c1", init));
  REQUIRE(pause(open(root, "c1")).has_value());

  CHECK(kill(open(root, "c1"), {.signal = SIGWINCH}).has_value());

  CHECK(open(root, "c1").status() == ContainerStatus::paused);
  CHECK(cgroup.is_frozen());
}

TEST_CASE("SIGKILL reaches the whole cgroup if init has no pid namespace of its own", "[container][kill]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  for (const bool init_is_dead : {false, true}) {
    INFO("init is dead: " << init_is_dead);
    const TempStore root;
    Sleeper init;
    Sleeper other;
    cgroup.add(init);
    cgroup.add(other);
    spec::Record record = cgroup.record("c1", init);
    record.own_pid_namespace = false;
    put(root, record);
    if (init_is_dead) init.become_zombie();

    CHECK(kill(open(root, "c1"), {.signal = SIGKILL}).has_value());

    CHECK(other.wait_for_signal() == SIGKILL);
    CHECK(init.wait_for_signal() == SIGKILL);
    CHECK(says(kill(open(root, "c1"), {.signal = SIGKILL}), "container not running"));
  }
}

TEST_CASE("only init gets a signal that is not for all", "[container][kill]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  struct Case {
    int signal;
    bool own_pid_namespace;
    const char* because;
  };
  const Case cases[] = {
      {SIGKILL, true, "the kernel kills what is in init's pid namespace, and the other is not"},
      {SIGTERM, false, "init decides what the rest hears of it"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    const TempStore root;
    Sleeper init;
    const Sleeper other;
    cgroup.add(init);
    cgroup.add(other);
    spec::Record record = cgroup.record("c1", init);
    record.own_pid_namespace = c.own_pid_namespace;
    put(root, record);

    CHECK(kill(open(root, "c1"), {.signal = c.signal}).has_value());

    CHECK(init.wait_for_signal() == c.signal);
    CHECK(other.is_alive());
  }
}

TEST_CASE("with --all everything in the cgroup gets the signal, after init's death too",
          "[container][kill]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  for (const int signal : {SIGTERM, SIGKILL}) {
    const TempStore root;
    Sleeper init;
    Sleeper other;
    cgroup.add(init);
    cgroup.add(other);
    put(root, cgroup.record("c1", init));
    init.become_zombie();

    CHECK(kill(open(root, "c1"), {.signal = signal, .all = true}).has_value());

    CHECK(other.wait_for_signal() == signal);
  }
}

TEST_CASE("the processes of a container are those of its cgroup, ascending", "[container][ps]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  const Sleeper init;
  const Sleeper other;
  cgroup.add(other);
  cgroup.add(init);
  put(root, cgroup.record("c1", init));

  const Result<std::vector<std::int64_t>> pids = read_pids(open(root, "c1"));

  INFO(message_of(pids));
  REQUIRE(pids.has_value());
  std::vector<std::int64_t> expected{init.pid(), other.pid()};
  std::sort(expected.begin(), expected.end());
  CHECK(pids.value() == expected);
}

TEST_CASE("delete with force ends a paused container and all in it, and its cgroup", "[container][delete]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper init;
  Sleeper other;
  cgroup.add(init);
  cgroup.add(other);
  put(root, cgroup.record("c1", init));
  REQUIRE(pause(open(root, "c1")).has_value());
  CHECK(
      says(remove(root.store(), "c1", false, {}), "cannot delete container c1 that is not stopped: paused"));

  const Status removed = remove(root.store(), "c1", true, {});

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(init.wait_for_signal() == SIGKILL);
  CHECK(other.wait_for_signal() == SIGKILL);
  CHECK(!cgroup.is_there());
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("delete of a stopped container ends what outlived init, before poststop is called",
          "[container][delete]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper init;
  Sleeper straggler;
  cgroup.add(straggler);
  put(root, cgroup.record("c1", init));
  init.become_zombie();
  bool was_alive = true;

  const Status removed =
      remove(root.store(), "c1", false, [&](const Container&) { was_alive = straggler.is_alive(); });

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(!was_alive);
  CHECK(straggler.wait_for_signal() == SIGKILL);
  CHECK(!cgroup.is_there());
}

TEST_CASE("a scope that systemd does not know is emptied and removed like any cgroup",
          "[container][delete]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper init;
  Sleeper straggler;
  cgroup.add(straggler);
  spec::Record record = cgroup.record("c1", init);
  record.cgroup_manager = "systemd";
  record.systemd_unit = "capsule-unit-test-that-nobody-made.scope";
  put(root, record);
  init.become_zombie();

  const Status removed = remove(root.store(), "c1", false, {});

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(straggler.wait_for_signal() == SIGKILL);
  CHECK(!cgroup.is_there());
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("delete with force of a half-made container takes the cgroup that create had made",
          "[container][delete]") {
  const TestCgroup cgroup;
  if (cgroup.is_missing()) return;
  const TempStore root;
  Sleeper orphan;
  cgroup.add(orphan);
  spec::Record record = cgroup.record("c1", orphan);
  record.pid = 0;
  record.start_time = 0;
  put(root, record);

  CHECK(remove(root.store(), "c1", true, {}).has_value());

  CHECK(orphan.wait_for_signal() == SIGKILL);
  CHECK(!cgroup.is_there());
}

}  // namespace capsule::container::test
