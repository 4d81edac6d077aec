// The state directory of one container: opened, locked, erased. The only place that knows flock(2).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::container {

// Long enough for a `create` with slow hooks to get on, short enough that an engine learns of a stuck one.
inline constexpr int kLockTimeoutMs = 10'000;

inline constexpr mode_t kFileMode = 0600;  // config.json may hold secrets in its environment

// <root>/<id>. `id` has passed check_id.
std::string directory_path(std::string_view root, std::string_view id);

//   fails   not_found "ID: container does not exist"
Result<UniqueFd> open_directory(const std::string& root, const std::string& id);
// The same, exclusively locked until closed, and still there once it is.
Result<UniqueFd> open_locked_directory(const std::string& root, const std::string& id, int timeout_ms);

// Locks an open directory.
//   fails   wrong_state after timeout_ms, naming the process that keeps the lock
Status lock_directory(FdRef dir, int timeout_ms);
// The same for one that was locked before, at `path`, and may have been removed since.
//   fails   not_found "container does not exist"
Status lock_directory_again(FdRef dir, const std::string& path, int timeout_ms);
Status unlock_directory(FdRef dir);
// Whether anybody (this process with another descriptor included) holds the lock. Never waits.
bool is_locked(FdRef dir);
// Of /proc/locks: who holds a flock on the inode. nullopt: nobody, or nobody we can see.
std::optional<pid_t> find_lock_holder(std::string_view proc_locks, ino_t inode);

// Removes everything in `dir` and `dir` itself, which is `path`; no symlink and no mount point is followed.
// The record goes last, so that a `delete` killed in between can be repeated.
Status erase_directory(FdRef dir, const std::string& path);

}  // namespace capsule::container
