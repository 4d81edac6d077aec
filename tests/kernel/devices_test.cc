#include <sys/stat.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using protocol::Problem;

constexpr std::uint32_t kCharacter = S_IFCHR | 0666U;

void add_node(Builder& builder,
              const char* target,
              std::uint32_t major,
              std::uint32_t minor,
              std::uint32_t flags = plan::kNodeBind) {
  builder.add("/linux/devices/0", plan::DeviceNode{.target = builder.text(target),
                                                   .mode = kCharacter,
                                                   .flags = flags,
                                                   .major = major,
                                                   .minor = minor});
}
void add_symlink(Builder& builder, const char* target, const char* value, std::uint64_t replace = 0) {
  builder.add(
      "", plan::Symlink{.target = builder.text(target), .value = builder.text(value), .replace = replace});
}

bool is_problem(const std::string& failed, Problem problem) {
  UNSCOPED_INFO(failed);
  return failed.find("problem " + std::to_string(static_cast<int>(problem)) + " ") != std::string::npos;
}

TEST_CASE("a user namespace has the host's nodes, bound", "[kernel][devices]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("", plan::OpenDev{});
            add_node(builder, "/dev/null", 1, 3);
            add_node(builder, "/dev/zero", 1, 5);
          });
          return failed + look_at("/dev/null") + " " + look_at("/dev/zero") + " " + try_write("/dev/null");
        }) == "char 1:3 char 1:5 ");
}

TEST_CASE("a node of the host that is another device is refused", "[kernel][devices]") {
  CHECK(is_problem(in_new_namespaces([] {
                     make_directory("/tmp/root");
                     return perform_in_root([](Builder& builder) { add_node(builder, "/dev/null", 1, 5); });
                   }),
                   Problem::wrong_device));
}

TEST_CASE("what an image has in the place of a device is not taken for it", "[kernel][devices]") {
  for (const char* name : {"file", "link"}) {
    INFO(name);
    const std::string failed = in_new_namespaces([name = std::string(name)] {
      if (name == "file") make_file("/tmp/root/dev/null", "fake");
      if (name == "link") make_link("/tmp/root/dev/null", "/etc/passwd");
      return perform_in_root([](Builder& builder) {
        builder.add("", plan::OpenDev{});
        add_node(builder, "/dev/null", 1, 3, 0);
      });
    });
    // mknod of devices is refused in a user namespace, but that something is there is noticed first.
    CHECK(is_problem(failed, Problem::wrong_device));
  }
}

TEST_CASE("a device that may not be made is an error of its entry", "[kernel][devices]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          return perform_in_root([](Builder& builder) { add_node(builder, "/dev/fuse", 10, 229, 0); });
        }) == "step 1 device_node /linux/devices/0: mknodat /dev/fuse EPERM");
}

TEST_CASE("a named pipe is made even where devices are bound", "[kernel][devices]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("", plan::DeviceNode{.target = builder.text("/run/pipe"),
                                             .mode = S_IFIFO | 0600U,
                                             .flags = plan::kNodeBind});
          });
          return failed + look_at("/run/pipe");
        }) == "fifo");
}

TEST_CASE("a /dev that is a link is refused, a missing one is made", "[kernel][devices]") {
  CHECK(is_problem(in_new_namespaces([] {
                     make_directory("/tmp/root/elsewhere");
                     make_link("/tmp/root/dev", "/elsewhere");
                     return perform_in_root([](Builder& builder) { builder.add("", plan::OpenDev{}); });
                   }),
                   Problem::symlinked_target));
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed =
              perform_in_root([](Builder& builder) { builder.add("", plan::OpenDev{}); });
          return failed + look_at("/tmp/root/dev");
        }) == "dir");
}

TEST_CASE("links are made, kept or replaced as their entry says", "[kernel][devices]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/dev/ptmx", "");
          make_link("/tmp/root/dev/fd", "/own");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("", plan::OpenDev{});
            add_symlink(builder, "/dev/stdin", "/proc/self/fd/0");
            add_symlink(builder, "/dev/fd", "/proc/self/fd");
            add_symlink(builder, "/dev/ptmx", "pts/ptmx", 1);
          });
          return failed + look_at("/dev/stdin") + ", " + look_at("/dev/fd") + ", " + look_at("/dev/ptmx");
        }) == "link /proc/self/fd/0, link /own, link pts/ptmx");
}

}  // namespace
}  // namespace capsule::test
