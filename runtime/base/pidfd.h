// A process, named so that it cannot be mistaken for another.
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

// The inode of its pidfds, which no other process gets as long as this kernel runs (pidfs, Linux 6.9): tells
// a process from its number's next like the start time, for a tenth of the price. 0 from a kernel without.
std::uint64_t read_pidfd_inode(FdRef pidfd);

struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  std::uint64_t pidfd_inode = 0;  // 0: not known, the start time decides alone
};

// Whether it is there and no zombie.
bool lives(const ProcessIdentity& process);

class Pidfd {
 public:
  Pidfd(UniqueFd fd, const ProcessIdentity& process) : fd_(std::move(fd)), process_(process) {}

  // Opens it unless it is gone, whoever has its pid by now: not_found.
  static Result<Pidfd> open(const ProcessIdentity& process);

  [[nodiscard]] FdRef fd() const noexcept { return fd_; }
  [[nodiscard]] pid_t pid() const noexcept { return process_.pid; }

  [[nodiscard]] Status signal(int number) const;
  // True once the process has exited; waits at most timeout_ms (-1: for ever).
  [[nodiscard]] Result<bool> wait_gone(int timeout_ms) const;

 private:
  [[nodiscard]] Result<bool> is_as_named() const;
  UniqueFd fd_;
  ProcessIdentity process_;
};

}  // namespace capsule
