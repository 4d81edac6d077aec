// How others learn of a process that was made: by the number in a file, or by a pidfd.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

// A file that is removed again unless kept: the pid file.
class PidFile {
 public:
  PidFile() = default;
  PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PidFile& operator=(PidFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PidFile();
  // Decimal digits, no newline, replaced atomically (go-runc parses the whole content). An empty path: no
  // file is wanted.
  static Result<PidFile> write(const std::string& path, pid_t pid);
  void keep() noexcept { path_.clear(); }

 private:
  std::string path_;
};

// Sends `fd` (a pidfd) to whoever listens at `path`, as runc's --pidfd-socket does; nothing if `path` is
// empty.
Status send_pidfd(const std::string& path, FdRef pidfd, std::string_view payload);

}  // namespace capsule::launch
