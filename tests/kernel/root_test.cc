#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using plan::RootMode;

std::string all_mounts() {
  std::ifstream table("/proc/thread-self/mountinfo");
  std::string targets;
  for (std::string line; std::getline(table, line);) {
    std::size_t at = 0;
    for (int i = 0; i < 4; ++i)
      at = line.find(' ', at) + 1;
    const std::string target = line.substr(at, line.find(' ', at) - at);
    if (!target.starts_with("/proc/")) targets += target + " ";
  }
  return targets;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/thread-self/fd"))
    ++count;
  return count;
}

std::string enter_in(RootMode mode, std::uint64_t propagation) {
  Builder builder;
  builder.add("", plan::PrepareRoot{
                      .source = builder.text("/tmp/root"), .mode = mode, .host_propagation = propagation});
  builder.add("", plan::Pivot{});
  return Performance(builder).perform();
}

TEST_CASE("behind the pivot there is the container's root and nothing of the host's", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/mark", "container");
          const std::string failed = pivot_after([](Builder&) {});
          return failed + read_text("/mark") + " " + look_at("/tmp/root") + " " + all_mounts() +
                 std::filesystem::current_path().string();
        }) == "container ENOENT / /proc /");
}

TEST_CASE("no descriptor of the host stays open behind the pivot", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root/masked/a");
          make_file("/tmp/root/file", "x");
          const std::size_t before = open_descriptors();
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("", plan::OpenDev{});
            builder.add("", plan::Mask{.target = builder.text("/masked")});
            builder.add("", plan::Mask{.target = builder.text("/file")});
          });
          return failed + (open_descriptors() == before ? "same" : "more");
        }) == "same");
}

TEST_CASE("with chroot the root is entered, and .. does not lead out of it", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/mark", "container");
          const std::string failed = enter_in(RootMode::chroot, MS_SLAVE);
          return failed + read_text("/mark") + " " + read_text("/../../mark") + " " + look_at("/tmp");
        }) == "container container ENOENT");
}

TEST_CASE("without a mount namespace of its own nothing is mounted and no propagation changes",
          "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/mark", "container");
          const std::string before = all_mounts();
          const int proc = ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
          const std::string failed = enter_in(RootMode::plain, 0);
          const std::string inside = read_text("/mark");
          const bool out = ::fchdir(proc) == 0 && ::chdir("..") == 0 && ::chroot(".") == 0;
          return failed + inside + (out && all_mounts() == before ? " same" : " other");
        }) == "container same");
}

TEST_CASE("a rootfs that is not there is told with its path", "[kernel][root]") {
  CHECK(in_new_namespaces([] { return perform_in_root([](Builder&) {}); }) ==
        "step 0 prepare_root /root/path: open_tree /tmp/root ENOENT");
}

TEST_CASE("a rootfs that the host side has cloned is taken from its slot", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/mark", "container");
          const long tree = ::syscall(SYS_open_tree, AT_FDCWD, "/tmp/root", OPEN_TREE_CLONE | O_CLOEXEC);
          Builder builder;
          const std::uint16_t slot = builder.donate({.kind = plan::Donation::Kind::rootfs});
          builder.add(
              "", plan::PrepareRoot{
                      .source = builder.text("/not/looked/at"), .slot = slot, .host_propagation = MS_SLAVE});
          builder.add("", plan::Pivot{});
          Performance performance(builder);
          performance.set_descriptor(slot, static_cast<int>(tree));
          const std::string failed = performance.perform();
          return failed + read_text("/mark");
        }) == "container");
}

TEST_CASE("the working directory is made with all that is missing on the way", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_link("/tmp/root/srv", "/data");
          make_directory("/tmp/root/data");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("/process/cwd", plan::MakeCwd{.target = builder.text("/srv/app/current")});
            builder.add("/process/cwd", plan::MakeCwd{.target = builder.text("/srv/app")});
          });
          return failed + look_at("/data/app/current");
        }) == "dir");
}

TEST_CASE("the root becomes read-only behind the pivot as well as before it", "[kernel][root]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("/root/readonly", plan::SetAttributes{.target = builder.text("/"),
                                                              .attributes = {.set = MOUNT_ATTR_RDONLY}});
          });
          return failed + try_write("/new");
        }) == "EROFS");
}

}  // namespace
}  // namespace capsule::test
