// Temporary state directories, and children that stand in for a container's init.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/container/container.h"
#include "tests/support/catch.h"

namespace capsule::container::test {

// A directory of its own for each test; gone with it.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TempStore : public TempDir {
 public:
  [[nodiscard]] Store store() const;
  [[nodiscard]] std::string path_of(std::string_view id) const;
};

// A child that does nothing until it is killed.
class Sleeper {
 public:
  // What init runs tells whether it has been started.
  enum class Program : unsigned char { init, other };
  explicit Sleeper(Program program = Program::init);
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint64_t start_time() const { return start_time_; }
  [[nodiscard]] bool is_alive() const;
  void become_zombie();   // killed, and left for a parent that does not look
  int wait_for_signal();  // reaps it; the signal that ended it, 0 if it exited by itself

 private:
  pid_t pid_;
  std::uint64_t start_time_ = 0;
};

// Another process that holds the lock of a container until `release`, or, with `until_gone`, until that
// process has died.
class LockHolder {
 public:
  explicit LockHolder(const std::string& directory, pid_t until_gone = 0);
  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;
  ~LockHolder();
  [[nodiscard]] pid_t pid() const { return pid_; }
  void release();

 private:
  pid_t pid_;
};

spec::Record record_of(const std::string& id);
spec::Record record_of(const std::string& id, const Sleeper& init);
// Puts a container there as `create` and `start` leave it.
void put(const TempStore& root, const spec::Record& record);
void put_gate(const TempStore& root, const std::string& id);
Container open(const TempStore& root, const std::string& id);

void write_text(const std::string& path, std::string_view text);
std::string read_text(const std::string& path);
bool exists(const std::string& path);
// Of the file itself, without its type.
mode_t mode_of(const std::string& path);

// From here on this process mounts for itself alone. nullopt: done; otherwise why not.
std::optional<std::string> enter_private_mount_namespace();

template <class T>
std::string message_of(const Result<T>& result) {
  return result.has_value() ? "success" : result.error().message();
}
template <class T>
bool says(const Result<T>& result, std::string_view words) {
  return !result.has_value() && result.error().message().find(words) != std::string::npos;
}

}  // namespace capsule::container::test
