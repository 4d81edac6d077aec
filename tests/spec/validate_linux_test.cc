// Devices, paths, and the smaller objects below linux.
#include "tests/spec/linux_checks.h"

using namespace capsule::spec;

namespace {

Device device(const char* type,
              const char* path,
              std::optional<std::int64_t> major,
              std::optional<std::int64_t> minor) {
  Device device;
  device.type = type;
  device.path = path;
  device.major = major;
  device.minor = minor;
  return device;
}

}  // namespace

TEST_CASE("broken rules about devices are named", "[spec][validate][linux]") {
  check_all({
      {[](Linux& l) { l.devices = {device("x", "/dev/x", 1, 3)}; },
       "/linux/devices/0/type: must be \"c\", \"b\", \"u\" or \"p\", not \"x\"", "mknod(1) knows no x"},
      {[](Linux& l) { l.devices = {device("a", "/dev/x", 1, 3)}; },
       "/linux/devices/0/type: must be \"c\", \"b\", \"u\" or \"p\", not \"a\"",
       "only rules may be about all"},
      {[](Linux& l) { l.devices = {device("c", "dev/x", 1, 3)}; },
       "/linux/devices/0/path: must be an absolute path, not \"dev/x\"", "relative to what?"},
      {[](Linux& l) {
         l.devices = {device("p", "/dev/p", {}, {}), device("c", "/dev/x", {}, 3)};
       },
       "/linux/devices/1/major: is required unless type is \"p\"", "which device?"},
      {[](Linux& l) { l.devices = {device("b", "/dev/x", 8, {})}; },
       "/linux/devices/0/minor: is required unless type is \"p\"", "which device?"},
      {[](Linux& l) { l.devices = {device("u", "/dev/x", -1, 0)}; },
       "/linux/devices/0/major: must be between 0 and 4095", "only rules may be about any"},
      {[](Linux& l) { l.devices = {device("c", "/dev/x", 4096, 0)}; },
       "/linux/devices/0/major: must be between 0 and 4095", "12 bits"},
      {[](Linux& l) { l.devices = {device("c", "/dev/x", 1, 1048576)}; },
       "/linux/devices/0/minor: must be between 0 and 1048575", "20 bits"},
  });
}

TEST_CASE("broken rules about paths, propagation and the smaller objects are named",
          "[spec][validate][linux]") {
  const auto policy = [](const char* mode, const char* nodes, std::vector<std::string> flags) {
    return [mode, nodes, flags](Linux& l) { l.memory_policy = MemoryPolicy{mode, nodes, flags}; };
  };
  const auto clos = [](const char* id) {
    return [id](Linux& l) {
      l.intel_rdt = IntelRdt{};
      l.intel_rdt->clos_id = id;
    };
  };
  check_all({
      {[](Linux& l) {
         l.personality = Personality{"a/b\n", {}};
       },
       "/linux/personality/domain: invalid personality domain a/b\\x0a",
       "one line, and otherwise as written"},
      {[](Linux& l) { l.masked_paths = {"/proc/keys"}; },
       "/linux/maskedPaths: unable to restrict sys entries without a private MNT namespace",
       "it would mask the host's"},
      {[](Linux& l) { l.readonly_paths = {"/proc/sys"}; },
       "/linux/readonlyPaths: unable to restrict sys entries without a private MNT namespace",
       "it would be the host's"},
      {[](Linux& l) {
         add(l, NamespaceType::mount);
         l.masked_paths = {"/proc/keys", "proc"};
       },
       "/linux/maskedPaths/1: must be an absolute path, not \"proc\"", "config-linux.md says MUST"},
      {[](Linux& l) {
         add(l, NamespaceType::mount);
         l.readonly_paths = {""};
       },
       "/linux/readonlyPaths/0: must be an absolute path, not \"\"", "config-linux.md says MUST"},
      {[](Linux& l) { l.rootfs_propagation = "none"; },
       "/linux/rootfsPropagation: rootfsPropagation=none is not supported", "runc's words"},
      {clos("a/b"), "/linux/intelRdt/closID: invalid intelRdt.ClosID \"a/b\"", "one directory"},
      {clos(".."), "/linux/intelRdt/closID: invalid intelRdt.ClosID \"..\"", "leads out of resctrl"},
      {clos("/a"), "/linux/intelRdt/closID: invalid intelRdt.ClosID \"/a\"", "one directory"},
      {policy("MPOL_NONE", "", {}), "/linux/memoryPolicy/mode: invalid memory policy mode \"MPOL_NONE\"",
       "no such mode"},
      {policy("MPOL_BIND", "0", {"STATIC"}),
       "/linux/memoryPolicy/flags/0: invalid memory policy flag \"STATIC\"", "no flag"},
      {policy("MPOL_BIND", "", {}),
       "/linux/memoryPolicy/nodes: memory policy mode requires at least one node but got 0", "bind to what?"},
      {policy("MPOL_LOCAL", "0-1,3", {}),
       "/linux/memoryPolicy/nodes: memory policy mode requires 0 nodes but got 3", "set_mempolicy(2)"},
      {policy("MPOL_BIND", "x", {}),
       "/linux/memoryPolicy/nodes: must be a list of nodes such as \"0-1,3\", not \"x\"", "no list"},
      {[](Linux& l) {
         l.personality = Personality{"BSD", {}};
       },
       "/linux/personality/domain: invalid personality domain BSD", "runc's words"},
  });
  CHECK(message_with(clos("/")).empty());
  CHECK(message_with(policy("MPOL_PREFERRED", "", {})).empty());
  CHECK(message_with(policy("MPOL_WEIGHTED_INTERLEAVE", "0,2", {"MPOL_F_RELATIVE_NODES"})).empty());
  for (const char* propagation :
       {"shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"}) {
    INFO(propagation);
    CHECK(message_with([propagation](Linux& l) { l.rootfs_propagation = propagation; }).empty());
  }
}
