// A cgroup of the test's own, below which everything happens, and processes to put inside. The host's cgroups
// are left as they are.
#pragma once

#include <sys/types.h>

#include <string>
#include <type_traits>
#include <utility>

#include "cgroups/cgroup.h"
#include "cgroups/facts.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "tests/support/catch.h"

namespace capsule::test {

// The value, or the test ends with the error's text.
template <class T>
T must(Result<T> result) {
  INFO((result.has_value() ? std::string() : result.error().message()));
  REQUIRE(result.has_value());
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

// "" or the error's text.
template <class T>
std::string error_of(const Result<T>& result) {
  return result.has_value() ? std::string() : result.error().message();
}

// Why this machine cannot run kernel tests of cgroups; "" if it can.
std::string why_not();

// The test's cgroup stands for the hierarchy: facts.mount is its directory. Removed with all that is left in
// it.
class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  cgroups::Facts facts;
  [[nodiscard]] bool exists(const std::string& path) const;  // below the test's cgroup
  [[nodiscard]] std::string read(const std::string& file) const;
  [[nodiscard]] uid_t owner(const std::string& path) const;
  // A cgroup that no object owns, opened.
  UniqueFd make(const std::string& path) const;  // NOLINT(modernize-use-nodiscard): often only made
  [[nodiscard]] UniqueFd open(const std::string& path) const;

 private:
  std::string real_mount_;
  std::string path_;
};

// A process that sleeps inside a cgroup and does what it is told; SIGUSR1 makes it end itself with SIGTERM.
// Killed and reaped at the end, wherever it is.
class Guest {
 public:
  explicit Guest(FdRef cgroup);  // moved in before it is told anything
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // The errno of open(path, O_RDONLY | O_NONBLOCK) inside; 0 if it worked.
  int open_errno(const std::string& path) { return ask('o', path); }
  // The errno of mknod(path, block device 8:0) inside.
  int mknod_errno(const std::string& path) { return ask('m', path); }
  // Forks `count` processes that sleep for ever; none of them is this process's to reap but its own child.
  void fork_sleepers(int count) { (void)ask('f', std::to_string(count)); }
  // It goes on in a second thread, which sleeps for ever, and whose id is returned; the first one ends.
  pid_t end_first_thread();
  // From now on it waits in the kernel, uninterruptible but for a fatal signal. False if the machine cannot
  // do this.
  bool sleep_uninterruptibly();

  // The signal that ended it, or 0 if it exited or lives on for timeout_ms.
  int wait_signal(int timeout_ms);

 private:
  int ask(char what, const std::string& argument);
  int receive();
  pid_t pid_ = -1;
  UniqueFd socket_;
  UniqueFd pidfd_;
  bool is_reaped_ = false;
};

}  // namespace capsule::test
