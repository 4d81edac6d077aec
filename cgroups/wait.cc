#include "cgroups/wait.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <poll.h>

#include "cgroups/files.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

namespace capsule::cgroups {

int Deadline::remaining_ms() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

Result<Waited> wait_for_event(FdRef cgroup, const char* key, bool value, const Deadline& deadline) {
  for (;;) {
    Result<UniqueFd> events = open_beneath(cgroup, "cgroup.events", O_RDONLY);
    if (!events.has_value() && is_gone(events.error())) return value ? Waited::timed_out : Waited::reached;
    const UniqueFd file = TRY(std::move(events));
    Result<std::string> lines = read_fd(file, "cgroup.events");
    if (!lines.has_value() && is_gone(lines.error())) return value ? Waited::timed_out : Waited::reached;
    const bool is_set = find_number(TRY(std::move(lines)), key).value_or(0) != 0;
    if (is_set == value) return Waited::reached;

    const int remaining = deadline.remaining_ms();
    if (remaining == 0) return Waited::timed_out;
    // kernfs remembers what this descriptor has read and wakes it on the first change after that, so none is
    // missed.
    std::array waiting{pollfd{file.get(), POLLPRI, 0}};
    (void)TRY(sys::poll(waiting, remaining));  // whatever woke us, the file is read again
  }
}

}  // namespace capsule::cgroups
