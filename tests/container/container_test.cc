#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

#include "tests/container/support.h"

namespace capsule::container::test {

TEST_CASE("a container that nobody made does not exist", "[container][open]") {
  const TempStore root;

  const Result<Container> opened = Container::open(root.store(), "nobody", Container::Lock::none);

  REQUIRE(!opened.has_value());
  CHECK(opened.error().kind() == ErrorKind::not_found);
  CHECK(opened.error().message() == "nobody: container does not exist");
}

TEST_CASE("a container in a root that is not there does not exist", "[container][open]") {
  const TempDir dir;
  const Store store = Store::open(dir.path() + "/nowhere").value();

  for (const Container::Lock lock : {Container::Lock::none, Container::Lock::exclusive}) {
    CHECK(says(Container::open(store, "c1", lock), "c1: container does not exist"));
  }
}

TEST_CASE("an id with a path in it is refused even if something is there", "[container][open]") {
  const TempStore root;
  put(root, record_of("c1"));

  CHECK(says(Container::open(root.store(), "./c1", Container::Lock::none), "invalid container ID format"));
}

TEST_CASE("a directory without a record that can be read is no container, and says what helps",
          "[container][open]") {
  const TempStore root;
  std::filesystem::create_directory(root.path_of("empty"));
  put(root, record_of("cut"));
  write_text(root.path_of("cut") + "/state.json", "{\"id\": \"cu");

  for (const char* id : {"empty", "cut"}) {
    const Result<Container> opened = Container::open(root.store(), id, Container::Lock::none);
    INFO(message_of(opened));
    REQUIRE(!opened.has_value());
    CHECK(opened.error().kind() == ErrorKind::not_found);
    CHECK(says(opened, std::string(id) + ": container does not exist"));
    CHECK(says(opened, "`delete --force` removes what is left"));
  }
}

TEST_CASE("a record whose pid is none is no container: cut to 32 bits it might be a process that lives",
          "[container][open]") {
  const TempStore root;
  const Sleeper somebody_else;
  for (const std::int64_t pid : {somebody_else.pid() + (std::int64_t{1} << 32), std::int64_t{-1}}) {
    INFO(pid);
    const std::string id = "c" + std::to_string(pid);
    spec::Record record = record_of(id, somebody_else);
    record.pid = pid;
    put(root, record);

    CHECK(says(Container::open(root.store(), id, Container::Lock::none), "cannot be read: /pid"));
  }
}

TEST_CASE("the status follows from the process and the gate", "[container][status]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));

  CHECK(open(root, "c1").status() == ContainerStatus::running);
  put_gate(root, "c1");
  CHECK(open(root, "c1").status() == ContainerStatus::created);
  REQUIRE(::unlink((root.path_of("c1") + "/gate").c_str()) == 0);
  CHECK(open(root, "c1").status() == ContainerStatus::running);
}

TEST_CASE("what has passed the gate is running, though a start that was killed left the gate",
          "[container][status]") {
  const TempStore root;
  const Sleeper program(Sleeper::Program::other);
  put(root, record_of("c1", program));
  put_gate(root, "c1");

  CHECK(open(root, "c1").status() == ContainerStatus::running);
}

TEST_CASE("a container whose process is gone, dead or somebody else is stopped", "[container][status]") {
  const TempStore root;
  Sleeper zombie;
  zombie.become_zombie();
  Sleeper reaped;
  spec::Record of_reaped = record_of("reaped", reaped);
  REQUIRE(::kill(reaped.pid(), SIGKILL) == 0);
  REQUIRE(reaped.wait_for_signal() == SIGKILL);
  const Sleeper somebody_else;
  spec::Record reused = record_of("reused", somebody_else);
  reused.start_time -= 1;
  spec::Record renamed = record_of("renamed", somebody_else);
  renamed.pidfd_inode = 1;

  struct Case {
    spec::Record record;
    const char* because;
  };
  const Case cases[] = {
      {record_of("zombie", zombie), "a zombie only waits to be reaped"},
      {of_reaped, "the process does not exist"},
      {reused, "the pid is that of a process that started at another time"},
      {renamed, "the pid is that of a process whose pidfds have another inode"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    put(root, c.record);
    put_gate(root, c.record.id);
    const Container container = open(root, c.record.id);
    CHECK(container.status() == ContainerStatus::stopped);
    CHECK(says(container.init(), "container not running"));
    CHECK(container.state().pid == 0);
  }
}

TEST_CASE("a container without a process is creating while somebody is at it, else stopped",
          "[container][status]") {
  const TempStore root;
  put(root, record_of("c1"));
  {
    const LockHolder creator(root.path_of("c1"));
    const Container seen = open(root, "c1");
    CHECK(seen.status() == ContainerStatus::creating);
    CHECK(seen.state().status == "creating");
  }
  CHECK(open(root, "c1").status() == ContainerStatus::stopped);
}

TEST_CASE("whoever holds the lock of a half-made container sees a stopped one", "[container][status]") {
  const TempStore root;
  put(root, record_of("c1"));

  const Result<Container> ours = Container::open(root.store(), "c1", Container::Lock::exclusive);

  REQUIRE(ours.has_value());
  CHECK(ours.value().status() == ContainerStatus::stopped);
}

TEST_CASE("looking at a container never waits for its lock", "[container][status][lock]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));
  const LockHolder busy(root.path_of("c1"));

  const auto before = std::chrono::steady_clock::now();
  const spec::ContainerState state = open(root, "c1").state();
  const std::vector<std::string> ids = root.store().ids().value();
  const auto took = std::chrono::steady_clock::now() - before;

  CHECK(state.status == "running");
  CHECK(ids == std::vector<std::string>{"c1"});
  CHECK(took < std::chrono::seconds(2));
}

TEST_CASE("an exclusive look waits until the other command is done", "[container][lock]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));
  Sleeper other_work;
  const LockHolder busy(root.path_of("c1"), other_work.pid());
  const pid_t ends_it = ::fork();
  if (ends_it == 0) {
    (void)::usleep(100'000);
    ::_exit(::kill(other_work.pid(), SIGKILL));
  }

  const auto before = std::chrono::steady_clock::now();
  const Result<Container> opened = Container::open(root.store(), "c1", Container::Lock::exclusive);
  const auto took = std::chrono::steady_clock::now() - before;

  REQUIRE(::waitpid(ends_it, nullptr, 0) == ends_it);
  INFO(message_of(opened));
  CHECK(opened.has_value());
  CHECK(took >= std::chrono::milliseconds(50));
}

TEST_CASE("the state document tells what the record and the kernel know", "[container][state]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));

  const spec::ContainerState state = open(root, "c1").state();

  CHECK(state.oci_version == "1.3.0");
  CHECK(state.id == "c1");
  CHECK(state.pid == init.pid());
  CHECK(state.status == "running");
  CHECK(state.bundle == "/bundles/c1");
  CHECK(state.rootfs == "/bundles/c1/rootfs");
  CHECK(state.created == "2026-08-19T10:00:00.123456789Z");
  CHECK(state.annotations.at("org.example.colour") == "blue");
  CHECK(state.owner.empty());
}

TEST_CASE("the frozen configuration is what create was given", "[container][open]") {
  const TempStore root;
  put(root, record_of("c1"));
  const Container container = open(root, "c1");

  CHECK(container.frozen_config().value() == "{\"frozen\": true}");
  REQUIRE(::unlink((root.path_of("c1") + "/config.json").c_str()) == 0);
  CHECK(says(container.frozen_config(), root.path_of("c1")));
}

TEST_CASE("the owner of a container is the owner of its directory, by name if there is one",
          "[container][owner]") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can give directories away");
    return;
  }
  const TempStore root;
  put(root, record_of("c1"));

  CHECK(open(root, "c1").owner() == "root");
  REQUIRE(::chown(root.path_of("c1").c_str(), 3'000'000'000U, 0) == 0);
  CHECK(open(root, "c1").owner() == "#3000000000");
}

TEST_CASE("a container without a cgroup says so", "[container][open]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));
  const Container container = open(root, "c1");

  CHECK(says(container.cgroup(), "container has no cgroup"));
  CHECK(says(pause(container), "container has no cgroup"));
  CHECK(says(read_pids(container), "container has no cgroup"));
  CHECK(container.status() == ContainerStatus::running);
}

TEST_CASE("every status has the name that engines expect", "[container][status]") {
  CHECK(name_of(ContainerStatus::creating) == "creating");
  CHECK(name_of(ContainerStatus::created) == "created");
  CHECK(name_of(ContainerStatus::running) == "running");
  CHECK(name_of(ContainerStatus::paused) == "paused");
  CHECK(name_of(ContainerStatus::stopped) == "stopped");
}

}  // namespace capsule::container::test
