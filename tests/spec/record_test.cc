#include <array>

#include "spec/write.h"
#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

Record full_record() {
  Record record;
  record.id = "web-1";
  record.bundle = "/bundles/web";
  record.rootfs = "/bundles/web/rootfs";
  record.created = "2026-08-19T10:00:00.123456789Z";
  record.pid = 4242;
  record.start_time = 18446744073709551615U;
  record.pidfd_inode = 18446744073709551614U;
  record.cgroup_path = "/acme/web-1";
  record.cgroup_mount = "/sys/fs/cgroup";
  record.cgroup_manager = "cgroupfs";
  record.own_pid_namespace = false;
  record.no_new_keyring = true;
  record.start_needs_config = false;
  record.delete_needs_config = false;
  record.owner_uid = 1000;
  record.annotations = {{"com.example.key", "value"}};
  return record;
}

// The text of full_record() with one part replaced.
std::string with(std::string_view part, std::string_view replacement) {
  std::string text = write_record(full_record());
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), replacement);
}

}  // namespace

TEST_CASE("a record is read as it was written", "[spec][record]") {
  const auto record = read_record(write_record(full_record()));

  INFO(message_of(record));
  REQUIRE(record.has_value());
  CHECK(record.value().id == "web-1");
  CHECK(record.value().bundle == "/bundles/web");
  CHECK(record.value().rootfs == "/bundles/web/rootfs");
  CHECK(record.value().created == "2026-08-19T10:00:00.123456789Z");
  CHECK(record.value().pid == 4242);
  CHECK(record.value().start_time == UINT64_MAX);
  CHECK(record.value().pidfd_inode == UINT64_MAX - 1);
  CHECK(record.value().cgroup_path == "/acme/web-1");
  CHECK(record.value().cgroup_mount == "/sys/fs/cgroup");
  CHECK(record.value().cgroup_manager == "cgroupfs");
  CHECK_FALSE(record.value().own_pid_namespace);
  CHECK(record.value().no_new_keyring);
  CHECK_FALSE(record.value().start_needs_config);
  CHECK_FALSE(record.value().delete_needs_config);
  CHECK(record.value().owner_uid == 1000);
  CHECK(record.value().annotations.at("com.example.key") == "value");
}

TEST_CASE("an older record, which does not say who needs config.json, has everybody read it",
          "[spec][record]") {
  const auto record = read_record(with(R"("startNeedsConfig": false,
  "deleteNeedsConfig": false,
  )",
                                       ""));

  REQUIRE(record.has_value());
  CHECK(record.value().start_needs_config);
  CHECK(record.value().delete_needs_config);
}

TEST_CASE("a record keeps the groups in resctrl, and does without in older ones", "[spec][record]") {
  Record full = full_record();
  CHECK(write_record(full).find("rdt") == std::string::npos);
  const auto without = read_record(write_record(full));
  REQUIRE(without.has_value());
  CHECK(without.value().rdt_group.empty());
  CHECK_FALSE(without.value().rdt_group_is_ours);

  full.rdt_group = "/sys/fs/resctrl/one";
  full.rdt_group_is_ours = true;
  full.rdt_monitor = "/sys/fs/resctrl/one/mon_groups/web-1";
  const auto with_groups = read_record(write_record(full));
  REQUIRE(with_groups.has_value());
  CHECK(with_groups.value().rdt_group == "/sys/fs/resctrl/one");
  CHECK(with_groups.value().rdt_group_is_ours);
  CHECK(with_groups.value().rdt_monitor == "/sys/fs/resctrl/one/mon_groups/web-1");

  full.rdt_monitor = "/sys/fs/resctrl/../../x";
  CHECK(message_of(read_record(write_record(full))) == "/rdtMonitor: must not contain \"..\"");
  full.rdt_monitor.clear();
  full.rdt_group = "relative";
  CHECK(message_of(read_record(write_record(full))) == "/rdtGroup: must be an absolute path");
}

TEST_CASE("a record begun before there is a process or a cgroup can be read", "[spec][record]") {
  Record record;
  record.id = "c1";
  record.bundle = "/b";

  const auto again = read_record(write_record(record));

  INFO(message_of(again));
  REQUIRE(again.has_value());
  CHECK(again.value().pid == 0);
  CHECK(again.value().own_pid_namespace);
  CHECK(again.value().annotations.empty());
}

TEST_CASE("a record is flat and says which schema it has", "[spec][record]") {
  CHECK(write_record(full_record()).find("{\n  \"schema\": \"capsule.record/v1\",\n  \"id\": \"web-1\",\n") ==
        0);
}

TEST_CASE("a record that lacks a member is refused", "[spec][record]") {
  static constexpr std::array kMembers = {
      "id",         "bundle",      "rootfs",        "created",         "pid",          "startTime",
      "cgroupPath", "cgroupMount", "cgroupManager", "ownPidNamespace", "noNewKeyring", "ownerUid"};
  for (const std::string member : kMembers) {
    INFO(member);
    CHECK(message_of(read_record(with("\"" + member + "\":", "\"x\":"))) == "/" + member + ": is required");
  }
}

TEST_CASE("a record that could lead a command astray is refused", "[spec][record]") {
  struct Bad {
    const char* part;
    const char* replacement;
    const char* message;
    const char* because;
  };
  static constexpr std::array kBad = {
      Bad{"\"web-1\"", "\"\"", "/id: is no container id: \"\"", "it names no directory"},
      Bad{"\"web-1\"", "\"..\"", "/id: is no container id: \"..\"", "it names the parent"},
      Bad{"\"web-1\"", "\"a/b\"", "/id: is no container id: \"a/b\"", "it is a path"},
      Bad{"4242", "-1", "/pid: is no process id", "kill(-1) reaches every process"},
      Bad{"4242", "4294967297", "/pid: is no process id", "would be cut to 1"},
      Bad{"4242", "\"4242\"", "/pid: must be an integer, not a string", "type"},
      Bad{"4242", "4242.0", "/pid: must be an integer, not a number with a fraction or an exponent", "type"},
      Bad{"\"/acme/web-1\"", "\"acme\"", "/cgroupPath: must be an absolute path", "below what?"},
      Bad{"\"/acme/web-1\"", "\"/acme/../..\"", "/cgroupPath: must not contain \"..\"",
          "it would be removed recursively"},
      Bad{"\"/sys/fs/cgroup\"", "\"sys\"", "/cgroupMount: must be an absolute path", "below what?"},
      Bad{"\"/bundles/web\"", "\"web\"", "/bundle: must be an absolute path", "below what?"},
      Bad{"\"cgroupfs\"", "\"dbus\"", "/cgroupManager: must be cgroupfs, systemd or disabled, not \"dbus\"",
          "unknown"},
      Bad{"record/v1", "record/v2",
          "/schema: is \"capsule.record/v2\", but this version reads capsule.record/v1", "newer"},
      Bad{"\"schema\"", "\"x\"", "/schema: is required", "somebody else's file"},
      Bad{"\"ownerUid\": 1000", "\"ownerUid\": -1", "/ownerUid: must be between 0 and 4294967295", "range"},
      Bad{"false", "0", "/ownPidNamespace: must be a boolean, not a number", "type"},
      Bad{"\"value\"", "1", "/annotations/com.example.key: must be a string, not a number", "type"},
  };
  for (const Bad& bad : kBad) {
    INFO(bad.because);
    CHECK(message_of(read_record(with(bad.part, bad.replacement))) == bad.message);
  }
}

TEST_CASE("a record that was cut off is refused by name", "[spec][record]") {
  const std::string text = write_record(full_record());

  CHECK(message_of(read_record("")) == "state.json: is empty, not JSON");
  CHECK(message_of(read_record("[]")) == "state.json: must be an object, not an array");
  CHECK(message_of(read_record(text.substr(0, text.size() / 2))).find("state.json: is not valid JSON") == 0);
}
