// NOTIFY_SOCKET: the container's messages to the service manager that started us (sd_notify(3)).
//
// The container gets a socket of its own, in a directory of the state directory that is bound read-only to
// kNotifyTarget; whoever waits for it (run, start) takes what arrives there and passes on what may be.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

inline constexpr const char* kNotifyDirectory = "notify";    // in the state directory
inline constexpr const char* kNotifyTarget = "/run/notify";  // in the container
inline constexpr const char* kNotifyVariable = "NOTIFY_SOCKET=/run/notify/notify.sock";

// $NOTIFY_SOCKET; empty: nobody is to be told.
//   fails   wrong_state, if it is neither a path nor an abstract name
Result<std::string> find_service_manager();

// The directory that the container will see. `create` makes it, since what is bound must exist then.
Status make_notify_directory(FdRef state_directory);
bool has_notify_directory(FdRef state_directory);

class NotifyRelay {
 public:
  // Binds the socket. From here on the container's messages wait for us.
  static Result<NotifyRelay> open(FdRef state_directory, std::string manager);

  [[nodiscard]] FdRef fd() const noexcept { return socket_; }  // readable: pass_on() has something to do
  [[nodiscard]] bool was_ready() const noexcept { return was_ready_; }
  // Passes on what has arrived; never waits for more.
  //   main   the container's init as the host sees it
  void pass_on(pid_t main);
  // Waits until the manager has taken note of the last READY=1, before our end makes it forget who we are
  // (sd_notify_barrier(3)); after 30 s a warning.
  void finish();

 private:
  explicit NotifyRelay(UniqueFd socket, std::string manager)
      : socket_(std::move(socket)), manager_(std::move(manager)) {}
  void tell(std::string_view text, int fd, int flags) const;
  void tell_ready(const std::string& lines, pid_t main);

  UniqueFd socket_;
  std::string manager_;
  UniqueFd barrier_;  // hangs up when the manager has come this far
  bool was_ready_ = false;
};

// For commands that return when the service is up: until it has said READY=1 or has ended.
//   interrupts   open_interrupts(), or closed (-1)
Status wait_until_ready(NotifyRelay& relay, pid_t main, FdRef pidfd, FdRef interrupts);

}  // namespace capsule::launch
