// A moment that does not move: every wait in this folder ends at one.
#pragma once

#include <chrono>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

class Deadline {
 public:
  explicit Deadline(int timeout_ms) : at_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}
  [[nodiscard]] int remaining_ms() const;  // rounded up; 0 once it has passed

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point at_;
};

enum class Waited { reached, timed_out };

// Waits until `key` of cgroup.events is `value`, asleep in poll(2) between changes. A removed cgroup is not
// populated and not frozen.
Result<Waited> wait_for_event(FdRef cgroup, const char* key, bool value, const Deadline& deadline);

}  // namespace capsule::cgroups
