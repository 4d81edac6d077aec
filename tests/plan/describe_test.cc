#include "runtime/plan/describe.h"

#include <algorithm>
#include <array>

#include "runtime/base/kernel_abi.h"
#include "runtime/plan/protocol.h"
#include "tests/plan/image.h"
#include "tests/support/catch.h"

namespace capsule::plan {
namespace {

template <class Step>
std::string described(Builder& builder, Step step, std::string_view field = "") {
  builder.add(field, step);
  const test::Image image(builder.finish());
  const std::string all = describe(image.verify());
  const std::size_t begin = all.rfind('\n', all.size() - 2) + 1;  // npos + 1: the only line
  return all.substr(begin, all.size() - 1 - begin);
}

TEST_CASE("a step is one line: its kind, what it says, and what asked for it", "[plan][describe]") {
  Builder builder;
  MountFilesystem mount;
  mount.target = builder.text("/proc");
  mount.type = mount.source = builder.text("proc");
  mount.flags = kMountCreateTarget | kMountNoSymlinks;
  mount.attributes.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  CHECK(
      described(builder, mount, "/mounts/0") ==
      "mount_filesystem target=/proc type=proc source=proc flags=create_target|no_symlinks set=nosuid|noexec"
      "   # /mounts/0");
}

TEST_CASE("members that say nothing are left out", "[plan][describe]") {
  Builder builder;
  CHECK(described(builder, Bind{}) == "bind");
  CHECK(described(builder, Pivot{}) == "pivot");
  CHECK(described(builder, Bind{.slot = 2}) == "bind slot=2");
}

TEST_CASE("zero is said where it is an identity", "[plan][describe]") {
  Builder builder;
  const std::array<std::uint32_t, 2> groups{5, 10};
  CHECK(
      described(builder, Confine{.groups = builder.blob(groups.data(), sizeof(groups)), .bounding = 0x21}) ==
      "confine groups=[5 10] uid=0 gid=0 umask=022 set_groups=1 bounding=0x21 effective=0x0 permitted=0x0 "
      "inheritable=0x0 ambient=0x0");
  CHECK(described(builder, DeviceNode{.target = builder.text("/dev/null"), .mode = 020666, .major = 1}) ==
        "device_node target=/dev/null mode=020666 flags=0 major=1 minor=0 uid=0 gid=0");
}

TEST_CASE("flags are spelled with their names, and unknown bits are not hidden", "[plan][describe]") {
  Builder builder;
  CHECK(described(builder, Unshare{.flags = CLONE_NEWNS | CLONE_NEWCGROUP}) == "unshare flags=mount|cgroup");
  CHECK(described(builder, Say{.line = static_cast<std::uint64_t>(protocol::Line::rootfs_mounted)}) ==
        "say line=rootfs_mounted");
  CHECK(described(builder, Bind{.flags = kMountRecursive | 1U << 31U}).find("recursive|0x") !=
        std::string::npos);
  CHECK(described(builder, SetAttributes{.attributes = {.clear = MOUNT_ATTR__ATIME | MOUNT_ATTR_RDONLY,
                                                        .recursive_propagation = 1U << 19U}}) ==
        "set_attributes clear=ro|atime recursive_propagation=slave");
}

TEST_CASE("texts that could be taken for something else are quoted", "[plan][describe]") {
  Builder builder;
  CHECK(described(builder, Exec{.args = builder.list({"sh", "-c", "a b", "", "#"})}) ==
        R"(exec args=[sh -c "a b" "" "#"])");
  CHECK(described(builder, Hostname{.name = builder.text("a\"b")}) == R"(hostname name="a\"b")");
}

TEST_CASE("a plan is printed without a control character of the user's", "[plan][describe]") {
  Builder builder;
  const std::string line =
      described(builder, Sysctl{.path = builder.text("a\x1b[2J"), .value = builder.text("b\r\x07")}, "/x\ny");
  CHECK(std::none_of(line.begin(), line.end(), [](char c) { return c >= '\0' && c < ' '; }));
}

TEST_CASE("programs and masks are given by their size", "[plan][describe]") {
  Builder builder;
  const std::array<char, 16> program{};
  CHECK(described(builder, Seccomp{.program = builder.blob(program.data(), program.size())}) ==
        "seccomp program=16 bytes");
}

TEST_CASE("every kind of step has a name of its own", "[plan][describe]") {
  Builder builder;
  test::add_every_step(builder);
  const test::Image image(builder.finish());
  const View view = image.verify();
  REQUIRE(view.ok());
  std::vector<std::string> names;
  for (const StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    const std::string line = describe_step(view, step);
    names.push_back(line.substr(0, line.find(' ')));
    CHECK(names.back() != "?");
    CHECK(line.find("   # /field") != std::string::npos);
  }
  const std::size_t count = names.size();
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  CHECK(names.size() == count);
}

TEST_CASE("descriptors are listed with their slot, kind and source", "[plan][describe]") {
  Builder builder;
  (void)builder.donate({.kind = Donation::Kind::rootfs, .recursive = true, .source = "/bundle/root fs"});
  (void)builder.donate({.kind = Donation::Kind::bind_source, .source = "/src", .uid_map = "0 1 1\n"});
  CHECK(describe_donations(builder.donations()) ==
        "descriptor 0 sync_socket\n"
        "descriptor 1 gate_socket\n"
        "descriptor 2 rootfs \"/bundle/root fs\" recursive\n"
        "descriptor 3 bind_source /src idmap\n");
}

}  // namespace
}  // namespace capsule::plan
