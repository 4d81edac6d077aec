// A process, named so that it cannot be mistaken for another: a pidfd, its pid, and its start time.
//
// A pid alone is reused; no function outside this file takes a bare pid to signal (R22).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule {

// Clock ticks since boot at which the process started: field 22 of /proc/PID/stat (proc(5)).
// nullopt: no such process, or it is a zombie (state Z or X), which counts as gone.
std::optional<std::uint64_t> read_start_time(pid_t pid);

class Pidfd {
 public:
  Pidfd(UniqueFd fd, pid_t pid, std::uint64_t start_time)
      : fd_(std::move(fd)), pid_(pid), start_time_(start_time) {}

  // Opens `pid` if it is still the process that started at `start_time`; not_found otherwise.
  static Result<Pidfd> open(pid_t pid, std::uint64_t start_time);

  [[nodiscard]] FdRef fd() const noexcept { return fd_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] std::uint64_t start_time() const noexcept { return start_time_; }

  [[nodiscard]] Status signal(int number) const;
  // True once the process has exited; waits at most timeout_ms (-1: for ever).
  [[nodiscard]] Result<bool> wait_gone(int timeout_ms) const;

 private:
  UniqueFd fd_;
  pid_t pid_;
  std::uint64_t start_time_;
};

}  // namespace capsule
