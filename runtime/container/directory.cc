#include "runtime/container/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <span>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/container/container.h"

namespace capsule::container {
namespace {

constexpr int kLockRetryMs = 5;

// False once another command has removed the directory, or removed it and made it again.
bool is_still_at(FdRef dir, const std::string& path) {
  const Result<struct stat> here = sys::fstat(dir);
  const Result<struct stat> there = sys::fstatat(FdRef::cwd(), path.c_str(), AT_SYMLINK_NOFOLLOW);
  return here.has_value() && there.has_value() && here.value().st_ino == there.value().st_ino &&
         here.value().st_dev == there.value().st_dev;
}

Error busy(FdRef dir, int timeout_ms) {
  const Result<std::string> locks = read_file(FdRef::cwd(), "/proc/locks");
  const Result<struct stat> info = sys::fstat(dir);
  std::optional<pid_t> holder;
  if (locks.has_value() && info.has_value()) holder = find_lock_holder(locks.value(), info.value().st_ino);
  const std::string who = holder ? cat({" (process ", std::to_string(*holder), ")"}) : std::string();
  return Error::wrong_state(cat({"another command", who, " has been at work on this container for more than ",
                                 std::to_string(timeout_ms / 1000), " s"}));
}

Status erase_entries(FdRef dir, std::string_view last);

Status erase_entry(FdRef dir, const std::string& name) {
  Status gone = sys::unlinkat(dir, name.c_str(), 0);
  if (gone.has_value() || gone.error().code() == ENOENT) return {};
  if (gone.error().code() != EISDIR) return gone;

  // A mount left behind in here may be somebody's data, so it stops us instead of being emptied.
  const open_how only_below{O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  Result<UniqueFd> below = sys::openat2(dir, name.c_str(), only_below);
  if (!below.has_value() && below.error().code() == EXDEV) {
    return Error::wrong_state(cat({name, " in the state directory is a mount point; unmount it first"}));
  }
  const UniqueFd subdirectory = TRY(std::move(below));
  TRY(erase_entries(subdirectory, {}).context(name));
  return sys::unlinkat(dir, name.c_str(), AT_REMOVEDIR);
}

Status erase_entries(FdRef dir, std::string_view last) {
  for (const std::string& name : TRY(list_directory(dir))) {
    if (name != last) TRY(erase_entry(dir, name));
  }
  return last.empty() ? Status() : erase_entry(dir, std::string(last));
}

}  // namespace

std::string directory_path(std::string_view root, std::string_view id) {
  return cat({root, "/", id});
}

Result<UniqueFd> open_directory(const std::string& root, const std::string& id) {
  const std::string path = directory_path(root, id);
  Result<UniqueFd> dir = sys::openat(FdRef::cwd(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!dir.has_value() && dir.error().code() == ENOENT) {
    return Error::not_found("container does not exist").with({id});
  }
  return dir;
}

Result<UniqueFd> open_locked_directory(const std::string& root, const std::string& id, int timeout_ms) {
  for (;;) {
    UniqueFd dir = TRY(open_directory(root, id));
    TRY(lock_directory(dir, timeout_ms).context(id));
    // The holder we waited for may have been `delete`, and a new container may have the id by now.
    if (is_still_at(dir, directory_path(root, id))) return dir;
  }
}

Status lock_directory(FdRef dir, int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    Status locked = sys::flock(dir, LOCK_EX | LOCK_NB);
    if (locked.has_value() || locked.error().code() != EWOULDBLOCK) return locked;
    if (Clock::now() >= deadline) return busy(dir, timeout_ms);
    // flock(2) knows no timeout, and an alarm would need a signal handler: look again soon.
    (void)TRY(sys::poll(std::span<struct pollfd>(), kLockRetryMs));
  }
}

Status lock_directory_again(FdRef dir, const std::string& path, int timeout_ms) {
  TRY(lock_directory(dir, timeout_ms));
  return is_still_at(dir, path) ? Status() : Error::not_found("container does not exist");
}

Status unlock_directory(FdRef dir) {
  return sys::flock(dir, LOCK_UN);
}

bool is_locked(FdRef dir) {
  // A descriptor of our own, since locks belong to the open file: on `dir` itself we would change the lock it
  // may hold.
  const Result<UniqueFd> probe = sys::openat(dir, ".", O_RDONLY | O_DIRECTORY);
  if (!probe.has_value()) return false;
  // Shared, so that two commands that look at the same time do not see each other.
  const Status locked = sys::flock(probe.value(), LOCK_SH | LOCK_NB);
  return !locked.has_value() && locked.error().code() == EWOULDBLOCK;
}

// "1: FLOCK  ADVISORY  WRITE 1234 00:19:5678 0 EOF" (proc_locks(5)). The device is not compared: overlayfs
// and btrfs show another one there than in stat(2), and the answer is a hint.
std::optional<pid_t> find_lock_holder(std::string_view proc_locks, ino_t inode) {
  const std::string ending = cat({":", std::to_string(inode)});
  for (const std::string_view line : split(proc_locks, '\n')) {
    std::vector<std::string_view> words = split(line, ' ');
    std::erase(words, std::string_view());
    constexpr std::size_t kType = 1;
    constexpr std::size_t kPid = 4;
    constexpr std::size_t kFile = 5;
    if (words.size() <= kFile || words[kType] != "FLOCK" || !words[kFile].ends_with(ending)) continue;
    const std::optional<pid_t> holder = parse_integer<pid_t>(words[kPid]);
    if (holder && *holder > 0) return holder;  // 0 and -1: in another pid namespace
  }
  return std::nullopt;
}

Status erase_directory(FdRef dir, const std::string& path) {
  TRY(erase_entries(dir, kStateName).context("remove ", path));
  if (!is_still_at(dir, path)) return {};
  return sys::unlinkat(FdRef::cwd(), path.c_str(), AT_REMOVEDIR);
}

}  // namespace capsule::container
