#include <filesystem>
#include <string>

#include "spec/read.h"
#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

constexpr const char* kConfig = R"({"ociVersion": "1.3.0", "linux": {"intelRdt": {"l3CacheSchema": "L3:0=1"},
  "resources": {"memory": {"limit": 200}, "devices": [{"allow": false}]}}})";

void put_with_config(const TempStore& root, const spec::Record& record, const char* config) {
  put(root, record);
  write_text(root.path_of(record.id) + "/config.json", config);
}

spec::Spec frozen(const TempStore& root) {
  return spec::read(read_text(root.path_of("c1") + "/config.json")).value();
}

// A directory that stands for a group of resctrl.
spec::Record in_group(const Sleeper& init, const std::string& group, bool is_ours) {
  std::filesystem::create_directory(group);
  write_text(group + "/schemata", "L3:0=1\n");
  spec::Record record = record_of("c1", init);
  record.rdt_group = group;
  record.rdt_group_is_ours = is_ours;
  return record;
}

}  // namespace

TEST_CASE("an update without a file to write is kept in the frozen config", "[container][update]") {
  const TempStore root;
  const Sleeper init;
  put_with_config(root, record_of("c1", init), kConfig);
  Change change;
  change.resources.cpu = spec::Cpu{.realtime_runtime = 5};

  const Status updated = update(open(root, "c1"), change);

  INFO(message_of(updated));
  REQUIRE(updated.has_value());
  const spec::LinuxResources resources = *frozen(root).linux->resources;
  CHECK(resources.cpu->realtime_runtime == 5);
  CHECK(resources.memory->limit == 200);
  CHECK(resources.devices.size() == 1);
  CHECK(mode_of(root.path_of("c1") + "/config.json") == 0600);
  CHECK(open(root, "c1").record().pid == init.pid());
}

TEST_CASE("a container without a cgroup has no limits to change", "[container][update]") {
  const TempStore root;
  const Sleeper init;
  spec::Record record = record_of("c1", init);
  record.cgroup_path.clear();
  put_with_config(root, record, kConfig);
  Change change;
  change.resources.pids = spec::Pids{.limit = 5};

  CHECK(says(update(open(root, "c1"), change), "container has no cgroup"));
  CHECK(read_text(root.path_of("c1") + "/config.json") == kConfig);
}

TEST_CASE("a stopped container is not updated", "[container][update]") {
  const TempStore root;
  Sleeper init;
  put_with_config(root, record_of("c1", init), kConfig);
  init.become_zombie();

  CHECK(says(update(open(root, "c1"), {}), "container not running"));
}

// Covers: /linux/intelRdt/l3CacheSchema, /linux/intelRdt/memBwSchema
TEST_CASE("shares of a group that was made for the container are changed and kept", "[container][update]") {
  const TempStore root;
  const Sleeper init;
  put_with_config(root, in_group(init, root.path() + "/group", true), kConfig);
  Change change;
  change.l3_cache_schema = "L3:0=7";

  REQUIRE(update(open(root, "c1"), change).has_value());

  CHECK(read_text(root.path() + "/group/schemata") == "L3:0=7\n");
  CHECK(frozen(root).linux->intel_rdt->l3_cache_schema == "L3:0=7");
}

TEST_CASE("shares go back when the config cannot be kept", "[container][update]") {
  const TempStore root;
  const Sleeper init;
  put_with_config(root, in_group(init, root.path() + "/group", true), kConfig);
  std::filesystem::create_directory(root.path_of("c1") + "/.config.json.tmp");  // in the way of the new one
  Change change;
  change.mem_bw_schema = "MB:0=7";

  CHECK(says(update(open(root, "c1"), change), "keep the new limits"));

  CHECK(read_text(root.path() + "/group/schemata") == "L3:0=1\n");
}

TEST_CASE("shares that are not the container's are not changed", "[container][update]") {
  const TempStore root;
  const Sleeper init;
  put_with_config(root, in_group(init, root.path() + "/group", false), kConfig);
  Change change;
  change.l3_cache_schema = "L3:0=7";

  CHECK(says(update(open(root, "c1"), change), "the group was not made for it"));
  CHECK(read_text(root.path() + "/group/schemata") == "L3:0=1\n");

  put_with_config(root, record_of("c2", init), R"({"ociVersion": "1.3.0"})");
  CHECK(says(update(open(root, "c2"), change), "/linux/intelRdt: the container was created without it"));
}

}  // namespace capsule::container::test
