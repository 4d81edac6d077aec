#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

const std::function<void(const Container&)> kNoHooks;

}  // namespace

TEST_CASE("an unknown container is an error to delete, and nothing at all with force",
          "[container][delete]") {
  const TempStore root;

  const Status plain = remove(root.store(), "nobody", false, kNoHooks);

  REQUIRE(!plain.has_value());
  CHECK(plain.error().kind() == ErrorKind::not_found);
  CHECK(says(plain, "container does not exist"));
  CHECK(remove(root.store(), "nobody", true, kNoHooks).has_value());
}

TEST_CASE("an id that is a path is refused with force too", "[container][delete]") {
  const TempStore root;
  std::filesystem::create_directories(root.path_of("a/b"));

  CHECK(says(remove(root.store(), "a/b", true, kNoHooks), "invalid container ID format"));
  CHECK(says(remove(root.store(), "..", true, kNoHooks), "invalid container ID format"));

  CHECK(exists(root.path_of("a/b")));
}

TEST_CASE("a running container is not deleted without force", "[container][delete]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));
  int hooks = 0;

  const Status removed = remove(root.store(), "c1", false, [&](const Container&) { ++hooks; });

  REQUIRE(!removed.has_value());
  CHECK(removed.error().kind() == ErrorKind::wrong_state);
  CHECK(removed.error().message() == "cannot delete container c1 that is not stopped: running");
  CHECK(init.is_alive());
  CHECK(hooks == 0);
  CHECK(open(root, "c1").status() == ContainerStatus::running);
}

TEST_CASE("with force a running container is killed and gone", "[container][delete]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));

  const Status removed = remove(root.store(), "c1", true, kNoHooks);

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(!init.is_alive());
  CHECK(init.wait_for_signal() == SIGKILL);
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("a created container is killed without force", "[container][delete]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  put_gate(root, "c1");

  CHECK(remove(root.store(), "c1", false, kNoHooks).has_value());

  CHECK(init.wait_for_signal() == SIGKILL);
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("poststop is called once, after the end of init and before the record goes",
          "[container][delete]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  struct Seen {
    bool alive;
    std::string status;
    std::string config;
    bool has_record;
  };
  std::vector<Seen> seen;

  const Status removed = remove(root.store(), "c1", true, [&](const Container& container) {
    seen.push_back({init.is_alive(), container.state().status, container.frozen_config().value(),
                    exists(root.path_of("c1") + "/state.json")});
  });

  CHECK(removed.has_value());
  REQUIRE(seen.size() == 1);
  CHECK(!seen[0].alive);
  CHECK(seen[0].status == "stopped");
  CHECK(seen[0].config == "{\"frozen\": true}");
  CHECK(seen[0].has_record);
}

TEST_CASE("a container whose end was seen goes, its hooks told of it first", "[container][delete]") {
  const TempStore root;
  put(root, record_of("c1"));
  const Container container = Container::open(root.store(), "c1", Container::Lock::exclusive).value();
  std::vector<bool> had_record;

  const Status removed = remove_ended(
      container, [&](const Container& ended) { had_record.push_back(exists(ended.path() + "/state.json")); });

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(had_record == std::vector<bool>{true});
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("a stopped container goes with everything in its directory", "[container][delete]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  put(root, record_of("c2", init));
  init.become_zombie();
  std::filesystem::create_directories(root.path_of("c1") + "/checkpoint/images");
  write_text(root.path_of("c1") + "/checkpoint/images/core", "x");
  write_text(root.path_of("c1") + "/.state.json.tmp", "{");

  CHECK(remove(root.store(), "c1", false, kNoHooks).has_value());

  CHECK(!exists(root.path_of("c1")));
  CHECK(exists(root.path_of("c2") + "/state.json"));
}

TEST_CASE("what a killed create left behind is deleted like a stopped container", "[container][delete]") {
  const TempStore root;
  put(root, record_of("c1"));

  CHECK(remove(root.store(), "c1", false, kNoHooks).has_value());

  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("a directory without a record that can be read takes force", "[container][delete]") {
  const TempStore root;
  std::filesystem::create_directory(root.path_of("empty"));
  put(root, record_of("cut"));
  write_text(root.path_of("cut") + "/state.json", "{\"id\": \"cu");

  for (const char* id : {"empty", "cut"}) {
    const Status plain = remove(root.store(), id, false, kNoHooks);
    INFO(id << ": " << message_of(plain));
    CHECK(says(plain, "container does not exist"));
    CHECK(exists(root.path_of(id)));

    const Status forced = remove(root.store(), id, true, kNoHooks);
    INFO(id << ": " << message_of(forced));
    CHECK(forced.has_value());
    CHECK(!exists(root.path_of(id)));
  }
}

TEST_CASE("force gets past a command that holds the lock while it waits for init",
          "[container][delete][lock]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  const LockHolder stuck(root.path_of("c1"), init.pid());

  const auto before = std::chrono::steady_clock::now();
  const Status removed = remove(root.store(), "c1", true, kNoHooks);
  const auto took = std::chrono::steady_clock::now() - before;

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(!exists(root.path_of("c1")));
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("delete works on a container whose cgroup is gone", "[container][delete]") {
  const TempStore root;
  Sleeper init;
  spec::Record record = record_of("c1", init);
  record.cgroup_mount = root.path();
  record.cgroup_path = "/no/such/cgroup";
  put(root, record);
  init.become_zombie();

  const Status removed = remove(root.store(), "c1", false, kNoHooks);

  INFO(message_of(removed));
  CHECK(removed.has_value());
  CHECK(!exists(root.path_of("c1")));
}

}  // namespace capsule::container::test
