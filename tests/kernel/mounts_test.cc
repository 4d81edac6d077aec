#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using plan::MountAttributes;

constexpr std::uint32_t kCreate = plan::kMountCreateTarget;

void add_tmpfs(Builder& builder,
               const char* target,
               const std::vector<std::string>& options = {},
               std::uint32_t flags = kCreate,
               MountAttributes attributes = {}) {
  builder.add("/mounts/0", plan::MountFilesystem{.target = builder.text(target),
                                                 .type = builder.text("tmpfs"),
                                                 .source = builder.text("tmpfs"),
                                                 .options = builder.list(options),
                                                 .flags = flags,
                                                 .attributes = attributes});
}

void add_bind(Builder& builder,
              const char* target,
              const char* source,
              std::uint32_t flags = kCreate,
              MountAttributes attributes = {}) {
  builder.add("/mounts/0", plan::Bind{.target = builder.text(target),
                                      .source = builder.text(source),
                                      .flags = flags,
                                      .attributes = attributes});
}

std::string mode_of(const char* path) {
  struct stat info {};
  if (::stat(path, &info) < 0) return "none";
  return std::to_string((info.st_mode & 07777U) / 512 % 8) + std::to_string(info.st_mode / 64 % 8) +
         std::to_string(info.st_mode / 8 % 8) + std::to_string(info.st_mode % 8);
}

TEST_CASE("a file system is mounted with its options and attributes, its target made", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/run/a/b", {"mode=1770", "nr_inodes=10"}, kCreate,
                      {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV});
          });
          return failed + mounted_at("/run/a/b") + " " + mode_of("/run/a/b");
        }) == "rw,nosuid,nodev,relatime tmpfs 1770");
}

TEST_CASE("a tmpfs keeps the mode of the directory it covers, unless it is given one", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          for (const char* path : {"/tmp/root/kept", "/tmp/root/given"}) {
            make_directory(path);
            if (::chmod(path, 01711) < 0) return std::string("chmod");
          }
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/kept");
            add_tmpfs(builder, "/given", {"mode=700"});
          });
          return failed + mode_of("/kept") + " " + mode_of("/given");
        }) == "1711 0700");
}

TEST_CASE("below a tmpfs that was just mounted targets are made in it", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root/dev");
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/dev", {"mode=755"});
            add_tmpfs(builder, "/dev/shm", {"mode=1777"});
            add_tmpfs(builder, "/dev/a/b", {"mode=700"});
            add_tmpfs(builder, "/dev/shm", {"mode=750"});  // once more: it exists
            add_tmpfs(builder, "/dev/..c", {"mode=701"});
          });
          return failed + mode_of("/dev/shm") + " " + mode_of("/dev/a") + " " + mode_of("/dev/a/b") + " " +
                 mode_of("/dev/..c");
        }) == "0750 0755 0700 0701");
}

TEST_CASE("what covers a tmpfs that was just mounted has the targets below", "[kernel][mounts]") {
  for (const char* cover : {"/dev", "/dev/../dev", "/link", "/dev/"}) {
    INFO(cover);
    CHECK(in_new_namespaces([cover] {
            make_directory("/tmp/root/dev");
            make_link("/tmp/root/link", "dev");
            make_directory("/tmp/covers");
            const std::string failed = pivot_after([cover](Builder& builder) {
              add_tmpfs(builder, "/dev");
              add_bind(builder, cover, "/tmp/covers");
              add_tmpfs(builder, "/dev/shm", {"mode=1777"});
            });
            return failed + mounted_at("/dev/shm").substr(0, 2) + " " + mode_of("/dev/shm");
          }) == "rw 1777");
  }
}

TEST_CASE("a refused file system or option is named, with what the kernel says of it", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          return perform_in_root([](Builder& builder) {
            builder.add("/mounts/0", plan::MountFilesystem{.target = builder.text("/x"),
                                                           .type = builder.text("nosuchfs"),
                                                           .flags = kCreate});
          });
        }) == "step 1 mount_filesystem /mounts/0: fsopen nosuchfs ENODEV");

  const std::string failed = in_new_namespaces([] {
    make_directory("/tmp/root");
    return perform_in_root([](Builder& builder) { add_tmpfs(builder, "/x", {"size=large"}); });
  });
  CHECK(failed.find("step 1 mount_filesystem /mounts/0: fsconfig tmpfs size=large") == 0);
  CHECK(failed.find("EINVAL") != std::string::npos);
}

TEST_CASE("what may not be mounted is bound instead where the plan says so", "[kernel][mounts]") {
  const auto perform = [](std::uint32_t flags) {
    return in_new_namespaces([flags] {
      make_file("/tmp/root/x/y", "");
      make_file("/tmp/other/mark", "other");
      const std::string failed = pivot_after([flags](Builder& builder) {
        builder.add("/mounts/0", plan::MountFilesystem{.target = builder.text("/x"),
                                                       .type = builder.text("devtmpfs"),
                                                       .source = builder.text("devtmpfs"),
                                                       .fallback_source = builder.text("/tmp/other"),
                                                       .flags = flags,
                                                       .attributes = {.set = MOUNT_ATTR_RDONLY}});
      });
      return failed + read_text("/x/mark") + (failed.empty() ? try_write("/x/new") : "");
    });
  };
  CHECK(perform(kCreate | plan::kMountFallbackBind) == "otherEROFS");
  CHECK(perform(kCreate) == "step 2 mount_filesystem /mounts/0: fsconfig devtmpfs EPERM");
}

TEST_CASE("directories and files are bound, missing targets made of their kind", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          make_file("/tmp/src/a", "content");
          const std::string failed = pivot_after([](Builder& builder) {
            add_bind(builder, "/mnt/dir", "/tmp/src");
            add_bind(builder, "/etc/hosts", "/tmp/src/a", kCreate, {.set = MOUNT_ATTR_RDONLY});
          });
          return failed + read_text("/mnt/dir/a") + " " + read_text("/etc/hosts") + " " +
                 try_write("/mnt/dir/b") + try_write("/etc/hosts");
        }) == "content content EROFS");
}

TEST_CASE("a recursive bind brings what is mounted below, and its attributes reach there",
          "[kernel][mounts]") {
  const auto perform = [](std::uint32_t flags, MountAttributes attributes) {
    return in_new_namespaces([=] {
      make_directory("/tmp/root");
      make_directory("/tmp/src/sub");
      if (::mount("tmpfs", "/tmp/src/sub", "tmpfs", 0, nullptr) < 0) return std::string("mount");
      make_file("/tmp/src/sub/mark", "sub");
      const std::string failed =
          pivot_after([=](Builder& builder) { add_bind(builder, "/mnt", "/tmp/src", flags, attributes); });
      return failed + read_text("/mnt/sub/mark") + " " + try_write("/mnt/new") + "," +
             try_write("/mnt/sub/new");
    });
  };
  const std::uint32_t recursive = kCreate | plan::kMountRecursive;
  CHECK(perform(kCreate, {}) == " ,");
  CHECK(perform(recursive, {}) == "sub ,");
  CHECK(perform(recursive, {.set = MOUNT_ATTR_RDONLY}) == "sub EROFS,");
  CHECK(perform(recursive, {.recursive_set = MOUNT_ATTR_RDONLY}) == "sub EROFS,EROFS");
  CHECK(perform(recursive, {.clear = MOUNT_ATTR_RDONLY, .recursive_set = MOUNT_ATTR_RDONLY}) == "sub ,EROFS");
}

TEST_CASE("a source that is missing is an error or is skipped, as the plan says", "[kernel][mounts]") {
  const auto perform = [](std::uint32_t flags) {
    return in_new_namespaces([flags] {
      make_directory("/tmp/root");
      const std::string failed =
          pivot_after([flags](Builder& builder) { add_bind(builder, "/mnt", "/tmp/missing", flags); });
      return failed + (failed.empty() ? look_at("/mnt") : "");
    });
  };
  CHECK(perform(kCreate) == "step 2 bind /mounts/0: open_tree /tmp/missing ENOENT");
  CHECK(perform(kCreate | plan::kMountIgnoreMissingSource) == "ENOENT");
}

TEST_CASE("a mount is changed where it stands", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const std::string failed = pivot_after([](Builder& builder) {
            add_tmpfs(builder, "/run");
            builder.add("/mounts/1",
                        plan::SetAttributes{.target = builder.text("/run"),
                                            .attributes = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC}});
          });
          return failed + mounted_at("/run");
        }) == "ro,noexec,relatime tmpfs");
}

TEST_CASE("tmpcopyup brings what the tmpfs would hide: contents, modes, owners, links", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/var/a", "content", 04751);
          make_file("/tmp/root/var/sub/deep/b", std::string(3'000'000, 'b'));
          make_file("/tmp/root/var/empty", "");
          make_link("/tmp/root/var/link", "/etc/passwd");
          if (::mkfifo("/tmp/root/var/fifo", 0600) < 0 || ::chmod("/tmp/root/var/sub", 01700) < 0)
            return std::string("prepare");
          const std::string failed = pivot_after(
              [](Builder& builder) { add_tmpfs(builder, "/var", {}, kCreate | plan::kMountTmpcopyup); });
          return failed + mounted_at("/var") + ": " + read_text("/var/a") + " " + look_at("/var/a") + " " +
                 std::to_string(read_text("/var/sub/deep/b").size()) + " " + mode_of("/var/sub") + " " +
                 look_at("/var/link") + " " + look_at("/var/fifo") + " " + look_at("/var/empty");
        }) == "rw,relatime tmpfs: content file 04751 0:0 3000000 1700 link /etc/passwd fifo file 0644 0:0");
}

TEST_CASE("a source that is a link is bound itself or made again, if asked for", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          make_file("/tmp/real", "real");
          make_link("/tmp/link", "/tmp/real");
          make_link("/tmp/copied", "/somewhere/inside");
          const std::string failed = pivot_after([](Builder& builder) {
            add_bind(builder, "/followed", "/tmp/link");
            add_bind(builder, "/mnt/copied", "/tmp/copied",
                     kCreate | plan::kMountSourceNofollow | plan::kMountCopySymlink);
          });
          return failed + read_text("/followed") + " " + look_at("/mnt/copied");
        }) == "real link /somewhere/inside");
}

TEST_CASE("a donated mount is attached as it is, and an empty slot is skipped", "[kernel][mounts]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          Builder builder;
          const std::uint16_t slot = builder.donate({.kind = plan::Donation::Kind::bind_source});
          add_root(builder);
          add_proc(builder);
          builder.add("/mounts/0",
                      plan::Bind{.target = builder.text("/mnt"), .flags = kCreate, .slot = slot});
          builder.add("", plan::Pivot{});
          const std::string failed = Performance(builder).perform();
          return failed + look_at("/mnt");
        }) == "ENOENT");
}

}  // namespace
}  // namespace capsule::test
