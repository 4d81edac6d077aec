// What a container tells the service manager (sd_notify(3)), and what of it may be passed on. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace capsule::launch {

// Larger ones are dropped whole; systemd's own limit is the same.
inline constexpr std::size_t kMaxNotification = 4096;

struct Notification {
  bool ready = false;  // it says READY=1, which is passed on together with MAINPID by whoever knows the pid
  std::string lines;   // the others, each with its newline
};

// Takes the lines that are about the service's state from a datagram. Whoever sent it is inside the container
// and not trusted: MAINPID, FDSTORE, BUSERROR and whatever else moves the manager's attention are left out,
// as are values of the wrong form and control characters.
Notification filter_notification(std::string_view datagram);

// Where the service manager listens: "/run/systemd/notify", or "@name" in the abstract name space.
bool is_notify_address(std::string_view address);

}  // namespace capsule::launch
