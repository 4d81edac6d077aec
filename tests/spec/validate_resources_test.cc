// linux.resources.
#include "tests/spec/linux_checks.h"

using namespace capsule::spec;

namespace {

LinuxResources& resources(Linux& linux_part) {
  linux_part.resources = LinuxResources{};
  return *linux_part.resources;
}

DeviceRule rule(const char* type, std::optional<std::string> access) {
  DeviceRule rule;
  rule.type = type;
  rule.access = std::move(access);
  return rule;
}

}  // namespace

TEST_CASE("broken rules about resources are named", "[spec][validate][resources]") {
  const auto memory = [](std::optional<std::int64_t> limit, std::optional<std::int64_t> swap) {
    return [limit, swap](Linux& l) {
      resources(l).memory = Memory{};
      l.resources->memory->limit = limit;
      l.resources->memory->swap = swap;
    };
  };
  const auto unified = [](const char* key) { return [key](Linux& l) { resources(l).unified[key] = "1"; }; };
  const auto pages = [](const char* size) {
    return [size](Linux& l) { resources(l).hugepage_limits = {{size, 0}}; };
  };
  check_all({
      {[](Linux& l) {
         resources(l).devices = {rule("a", "rwm"), rule("z", "rwm")};
       },
       "/linux/resources/devices/1/type: must be \"a\", \"b\" or \"c\", not \"z\"", "no such type"},
      {[](Linux& l) { resources(l).devices = {rule("c", "rwx")}; },
       "/linux/resources/devices/0/access: must be made of r, w and m, not \"rwx\"",
       "x is no access to a device"},
      {[](Linux& l) {
         resources(l).devices = {rule("c", "rwm"), rule("c", std::nullopt)};
       },
       "/linux/resources/devices/1/access: device access at 1 field cannot be empty", "runc's words"},
      {[](Linux& l) {
         resources(l).devices = {rule("c", "rwm")};
         l.resources->devices[0].minor = -2;
       },
       "/linux/resources/devices/0/minor: must be a device number, or -1 for any", "-1 means any"},
      {memory(-2, {}), "/linux/resources/memory/limit: must be a number of bytes, or -1 for unlimited",
       "-1 means unlimited"},
      {memory({}, -512), "/linux/resources/memory/swap: must be a number of bytes, or -1 for unlimited",
       "-1 means unlimited"},
      {pages("2048"),
       "/linux/resources/hugepageLimits/0/pageSize: must be a page size such as \"2MB\", not \"2048\"",
       "unit"},
      {pages("MB"),
       "/linux/resources/hugepageLimits/0/pageSize: must be a page size such as \"2MB\", not \"MB\"",
       "number"},
      {pages("0MB"),
       "/linux/resources/hugepageLimits/0/pageSize: must be a page size such as \"2MB\", not \"0MB\"",
       "none"},
      {pages("../2MB"),
       "/linux/resources/hugepageLimits/0/pageSize: must be a page size such as \"2MB\", not \"../2MB\"",
       "it becomes a part of a file name"},
      {unified("../cgroup.max.depth"),
       "/linux/resources/unified/..~1cgroup.max.depth: must be the name of a file in the container's cgroup, "
       "not a path",
       "leads out of the cgroup"},
      {unified(""),
       "/linux/resources/unified/: must be the name of a file in the container's cgroup, not a path",
       "no name"},
      {unified(".."),
       "/linux/resources/unified/..: must be the name of a file in the container's cgroup, not a path",
       "parent"},
  });
  CHECK(message_with(memory(-1, 0)).empty());
  CHECK(message_with(pages("64KB")).empty());
  CHECK(message_with(pages("1GB")).empty());
  CHECK(message_with(unified("hugetlb.1GB.rsvd.max")).empty());
}
