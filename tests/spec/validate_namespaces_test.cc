// Namespaces, and what only makes sense inside of one.
#include "tests/spec/linux_checks.h"

using namespace capsule::spec;

// Normative: B13
TEST_CASE("broken rules about namespaces and id mappings are named", "[spec][validate][namespaces]") {
  check_all({
      {[](Linux& l) {
         add(l, NamespaceType::pid);
         add(l, NamespaceType::network);
         add(l, NamespaceType::network, "/proc/1/ns/net");
       },
       "/linux/namespaces/2/type: malformed spec file: duplicated ns \"network\"", "which one is meant?"},
      {[](Linux& l) { add(l, NamespaceType::ipc, "proc/self/ns/ipc"); },
       "/linux/namespaces/0/path: must be an absolute path, not \"proc/self/ns/ipc\"",
       "config-linux.md says MUST"},
      {[](Linux& l) { add(l, NamespaceType::user); },
       "/linux/uidMappings: user namespaces enabled, but no namespace path to join nor mappings to apply "
       "specified",
       "nobody would be mapped"},
      {[](Linux& l) {
         map_ids(l);
         l.gid_mappings.clear();
       },
       "/linux/gidMappings: user namespaces enabled, but no namespace path to join nor mappings to apply "
       "specified",
       "no group would be mapped"},
      {[](Linux& l) {
         l.uid_mappings = {{0, 0, 1}};
       },
       "/linux/uidMappings: user namespace mappings specified, but user namespace isn't enabled in the "
       "config",
       "map what?"},
      {[](Linux& l) {
         l.gid_mappings = {{0, 0, 1}};
       },
       "/linux/gidMappings: user namespace mappings specified, but user namespace isn't enabled in the "
       "config",
       "map what?"},
      {[](Linux& l) {
         map_ids(l);
         l.uid_mappings.push_back({20, 20, 0});
       },
       "/linux/uidMappings/1/size: must be at least 1", "it maps nothing"},
      {[](Linux& l) {
         map_ids(l);
         l.gid_mappings = {{0, 4294967295U, 1}};
       },
       "/linux/gidMappings/0/size: reaches beyond the last id, 4294967294", "-1 is no id"},
      {[](Linux& l) {
         map_ids(l);
         l.gid_mappings = {{0, 100000, 4294967295U}};
       },
       "/linux/gidMappings/0/size: reaches beyond the last id, 4294967294", "beyond the end"},
  });
}

TEST_CASE("a user namespace is joined without mappings, or beside the same mappings",
          "[spec][validate][namespaces]") {
  CHECK(message_with([](Linux& l) { add(l, NamespaceType::user, "/proc/1/ns/user"); }).empty());
  CHECK(message_with([](Linux& l) {
          add(l, NamespaceType::user, "/proc/1/ns/user");
          l.uid_mappings = l.gid_mappings = {{0, 0, 1}};
        }).empty());
  CHECK(message_with([](Linux& l) {
          map_ids(l);
          l.uid_mappings = {{0, 0, 4294967295U}};
        }).empty());
}

TEST_CASE("the user and the groups of the process must be mapped", "[spec][validate][namespaces]") {
  Spec spec = minimal_spec();
  map_ids(*spec.linux);
  spec.process = Process{};
  spec.process->cwd = "/";
  spec.process->args = {"true"};
  spec.process->user = {.uid = 9, .gid = 9, .umask = std::nullopt, .additional_gids = {0, 9}};
  CHECK(message_of(validate(spec)).empty());

  spec.process->user.additional_gids = {0, 10};
  CHECK(message_of(validate(spec)) == "/process/user/additionalGids/1: cannot set unmapped gid 10");
  spec.process->user.gid = 10;
  CHECK(message_of(validate(spec)) == "/process/user/gid: cannot setgid to unmapped gid 10");
  spec.process->user.uid = 10;
  CHECK(message_of(validate(spec)) == "/process/user/uid: cannot setuid to unmapped uid 10");
}

TEST_CASE("broken rules about time offsets are named", "[spec][validate][namespaces]") {
  check_all({
      {[](Linux& l) {
         l.time_offsets["boottime"] = {7, 0};
       },
       "/linux/timeOffsets: time namespace offsets specified, but time namespace isn't enabled in the config",
       "which clock?"},
      {[](Linux& l) {
         add(l, NamespaceType::time, "/proc/1/ns/time");
         l.time_offsets["boottime"] = {7, 0};
       },
       "/linux/timeOffsets: time namespace enabled, but both namespace path and time offsets specified -- "
       "you may only "
       "provide one",
       "its clocks run already"},
      {[](Linux& l) {
         add(l, NamespaceType::time);
         l.time_offsets["realtime"] = {7, 0};
       },
       "/linux/timeOffsets/realtime: no such clock in a time namespace; there are monotonic and boottime",
       "time_namespaces(7)"},
      {[](Linux& l) {
         add(l, NamespaceType::time);
         l.time_offsets["monotonic"] = {7, 1000000000};
       },
       "/linux/timeOffsets/monotonic/nanosecs: must be less than 1000000000", "that is a second"},
  });
}

TEST_CASE("broken rules about network devices are named", "[spec][validate][namespaces]") {
  const auto named = [](const char* host, std::optional<std::string> name) {
    return [host, name](Linux& l) {
      add(l, NamespaceType::network);
      l.net_devices[host] = {name};
    };
  };
  check_all({
      {[](Linux& l) { l.net_devices["eth0"] = {}; },
       "/linux/netDevices: unable to move network devices without a NET namespace", "move it where?"},
      {named("", {}), "/linux/netDevices/: invalid network device name \"\"", "no name"},
      {named("a/b", {}), "/linux/netDevices/a~1b: invalid network device name \"a/b\"", "a path"},
      {named("abcdefghijklmnop", {}),
       "/linux/netDevices/abcdefghijklmnop: invalid network device name \"abcdefghijklmnop\"",
       "the kernel takes 15 bytes"},
      {named("eth0", "a b"), "/linux/netDevices/eth0/name: invalid network device name \"a b\"", "a blank"},
      {named("eth0", "a:b"), "/linux/netDevices/eth0/name: invalid network device name \"a:b\"", "an alias"},
      {named("eth0", ".."), "/linux/netDevices/eth0/name: invalid network device name \"..\"",
       "a directory in /sys"},
      {named("eth0", "eth%s"), "/linux/netDevices/eth0/name: invalid network device name \"eth%s\"",
       "no template"},
      {named("eth0", "e%dh%d"), "/linux/netDevices/eth0/name: invalid network device name \"e%dh%d\"",
       "the kernel numbers once"},
      {[](Linux& l) {
         add(l, NamespaceType::network);
         l.net_devices = {{"eth0", {"net0"}}, {"eth1", {"net0"}}};
       },
       "/linux/netDevices/eth1: \"net0\" is the name in the container of \"eth0\" too", "one of them fails"},
      {[](Linux& l) {
         add(l, NamespaceType::network);
         l.net_devices = {{"eth0", {}}, {"eth1", {"eth0"}}};
       },
       "/linux/netDevices/eth1: \"eth0\" is the name in the container of \"eth0\" too", "it keeps its name"},
  });
  CHECK(message_with(named("abcdefghijklmno", "eth%d")).empty());
  CHECK(message_with([](Linux& l) {
          add(l, NamespaceType::network);
          l.net_devices = {{"a", {"eth%d"}}, {"b", {"eth%d"}}, {"c", {"d"}}, {"d", {"c"}}};
        }).empty());
}
