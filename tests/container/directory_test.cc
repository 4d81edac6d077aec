#include "runtime/container/directory.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "runtime/base/sys.h"
#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

UniqueFd open_path(const std::string& path) {
  return sys::openat(FdRef::cwd(), path.c_str(), O_RDONLY | O_DIRECTORY).value();
}

}  // namespace

TEST_CASE("a lock that another process keeps is given up with that process named", "[container][lock]") {
  const TempStore root;
  put(root, record_of("c1"));
  const LockHolder holder(root.path_of("c1"));

  const Result<UniqueFd> locked = open_locked_directory(root.path(), "c1", 60);

  INFO(message_of(locked));
  REQUIRE(!locked.has_value());
  CHECK(locked.error().kind() == ErrorKind::wrong_state);
  CHECK(says(locked, "c1: another command (process " + std::to_string(holder.pid()) + ") has been at work"));
}

TEST_CASE("a lock is free again once its holder was killed", "[container][lock]") {
  const TempStore root;
  put(root, record_of("c1"));
  LockHolder holder(root.path_of("c1"));
  const UniqueFd dir = open_path(root.path_of("c1"));
  REQUIRE(is_locked(dir));

  holder.release();

  CHECK(!is_locked(dir));
  CHECK(open_locked_directory(root.path(), "c1", 60).has_value());
}

TEST_CASE("asking whether a directory is locked does not take the lock away from whoever asks",
          "[container][lock]") {
  const TempStore root;
  put(root, record_of("c1"));
  const UniqueFd ours = open_locked_directory(root.path(), "c1", 60).value();

  CHECK(is_locked(ours));

  CHECK(!open_locked_directory(root.path(), "c1", 0).has_value());
}

TEST_CASE("a directory that is a symlink is not opened as a container", "[container][directory]") {
  const TempStore root;
  put(root, record_of("real"));
  REQUIRE(::symlink("real", root.path_of("link").c_str()) == 0);

  const Result<UniqueFd> opened = open_directory(root.path(), "link");

  REQUIRE(!opened.has_value());
  CHECK(opened.error().kind() == ErrorKind::system);
}

TEST_CASE("the holder of a lock is found in /proc/locks by inode", "[container][lock]") {
  constexpr std::string_view kLocks =
      "1: POSIX  ADVISORY  WRITE 11 00:19:77 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 12 00:19:177 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 0 00:19:88 0 EOF\n"
      "4: FLOCK  ADVISORY  WRITE 13 00:19:77 0 EOF\n"
      "4: -> FLOCK  ADVISORY  WRITE 14 00:19:99 0 EOF\n";
  struct Case {
    ino_t inode;
    std::optional<pid_t> holder;
    const char* because;
  };
  const Case cases[] = {
      {77, 13, "the POSIX lock on the same inode is another kind of lock"},
      {177, 12, "77 is only the end of 177"},
      {88, std::nullopt, "a holder in another pid namespace is shown as 0"},
      {99, std::nullopt, "who waits does not hold"},
      {1, std::nullopt, "nobody has a lock on it"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(find_lock_holder(kLocks, c.inode) == c.holder);
  }
  CHECK(find_lock_holder("", 77) == std::nullopt);
}

TEST_CASE("erasing a directory takes whatever lies in it and leaves what its symlinks point at",
          "[container][erase]") {
  const TempStore root;
  const TempDir elsewhere;
  write_text(elsewhere.path() + "/precious", "data");
  put(root, record_of("c1"));
  put_gate(root, "c1");
  std::filesystem::create_directories(root.path_of("c1") + "/a/b/c");
  write_text(root.path_of("c1") + "/a/b/file", "x");
  std::filesystem::create_directory_symlink(elsewhere.path(), root.path_of("c1") + "/a/link");
  std::filesystem::create_directory_symlink(elsewhere.path(), root.path_of("c1") + "/link");
  const UniqueFd dir = open_path(root.path_of("c1"));

  const Status erased = erase_directory(dir, root.path_of("c1"));

  INFO(message_of(erased));
  CHECK(erased.has_value());
  CHECK(!exists(root.path_of("c1")));
  CHECK(read_text(elsewhere.path() + "/precious") == "data");
}

TEST_CASE("erasing a directory that was removed and made again leaves the new one alone",
          "[container][erase]") {
  const TempStore root;
  put(root, record_of("c1"));
  const UniqueFd old = open_path(root.path_of("c1"));
  std::filesystem::rename(root.path_of("c1"), root.path_of("moved-away"));
  put(root, record_of("c1"));

  CHECK(erase_directory(old, root.path_of("c1")).has_value());

  CHECK(exists(root.path_of("c1") + "/state.json"));
  CHECK(!exists(root.path_of("moved-away") + "/state.json"));
}

TEST_CASE("a mount point in the state directory is named, neither emptied nor passed over",
          "[container][erase]") {
  if (const auto reason = enter_private_mount_namespace()) {
    WARN("skipped: " << *reason);
    return;
  }
  const TempStore root;
  put(root, record_of("c1"));
  const std::string mount_point = root.path_of("c1") + "/criu-root";
  std::filesystem::create_directory(mount_point);
  REQUIRE(::mount("none", mount_point.c_str(), "tmpfs", 0, nullptr) == 0);
  write_text(mount_point + "/precious", "data");
  const UniqueFd dir = open_path(root.path_of("c1"));

  const Status erased = erase_directory(dir, root.path_of("c1"));

  const std::string kept = read_text(mount_point + "/precious");
  REQUIRE(::umount2(mount_point.c_str(), MNT_DETACH) == 0);
  INFO(message_of(erased));
  CHECK(says(erased, "criu-root in the state directory is a mount point"));
  CHECK(kept == "data");
  CHECK(exists(root.path_of("c1") + "/state.json"));
}

}  // namespace capsule::container::test
