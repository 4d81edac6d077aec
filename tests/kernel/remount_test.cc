#include "runtime/base/kernel_abi.h"
#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;

void add_tmpfs(Builder& builder, const char* target, const std::vector<std::string>& options = {}) {
  builder.add("/mounts/0", plan::MountFilesystem{.target = builder.text(target),
                                                 .type = builder.text("tmpfs"),
                                                 .source = builder.text("tmpfs"),
                                                 .options = builder.list(options),
                                                 .flags = plan::kMountCreateTarget});
}

void add_unmount(Builder& builder, const char* target) {
  builder.add("/mounts/1", plan::Unmount{.target = builder.text(target)});
}

TEST_CASE("a file system takes new parameters where it is mounted", "[kernel][mounts]") {
  const auto reconfigure = [](const char* target, const char* option) {
    return in_new_namespaces([&] {
      make_directory("/tmp/root");
      return pivot_after([&](Builder& builder) {
        add_tmpfs(builder, "/run", {"size=64k"});
        builder.add("/mounts/1", plan::Reconfigure{.target = builder.text(target),
                                                   .options = builder.list({std::string(option)})});
      });
    });
  };
  CHECK(reconfigure("/run", "size=128k") == "");
  CHECK(reconfigure("/run", "size=x").starts_with("step 3 reconfigure /mounts/1: fsconfig /run size=x"));
  CHECK(reconfigure("/proc/self", "hidepid=1") == "step 3 reconfigure /mounts/1: fspick /proc/self EINVAL");
  CHECK(reconfigure("/none", "x") == "step 3 reconfigure /mounts/1: openat2 /none ENOENT");
}

TEST_CASE("a mount is taken off, a directory's as a file's, through a link as well", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/etc/file", "below");
          make_file("/tmp/cover", "above");
          make_link("/tmp/root/link", "/run");
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/run");
            builder.add("/mounts/0", plan::Bind{.target = builder.text("/etc/file"),
                                                .source = builder.text("/tmp/cover"),
                                                .flags = plan::kMountIsBind});
            add_unmount(builder, "/etc/file");
            add_unmount(builder, "/link");
          });
          return failed + read_text("/etc/file") + mounted_at("/run");
        }) == "below");
}

TEST_CASE("what is no mount point is not unmounted", "[kernel][mounts]") {
  const auto unmount = [](const char* target) {
    return in_new_namespaces([&] {
      make_directory("/tmp/root/etc");
      return pivot_after([&](Builder& builder) { add_unmount(builder, target); });
    });
  };
  CHECK(unmount("/etc") == "step 2 unmount /mounts/1: problem 18 statx /etc EINVAL");
  CHECK(unmount("/none") == "step 2 unmount /mounts/1: openat2 /none ENOENT");
}

TEST_CASE("a mount on the root is the root, and nothing of what it covers stays", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/covered", "");
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/", {"mode=711"});
            add_tmpfs(builder, "/", {"mode=711"});
            add_tmpfs(builder, "/inside");
          });
          return failed + look_at("/covered") + " " + look_at("/inside") + " " + look_at("/tmp");
        }) == "ENOENT dir ENOENT");
}

}  // namespace
}  // namespace capsule::test
