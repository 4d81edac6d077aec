// The terminal that the user sits at, lent to the container's pty while a foreground command runs.
#pragma once

#include <optional>
#include <termios.h>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

// Our standard input in raw mode, if it is a terminal; as it was again at the end.
class HostTerminal {
 public:
  HostTerminal() = default;
  HostTerminal(HostTerminal&& other) noexcept : before_(std::exchange(other.before_, std::nullopt)) {}
  HostTerminal& operator=(HostTerminal&&) = delete;
  ~HostTerminal();
  static Result<HostTerminal> make_raw();

 private:
  std::optional<termios> before_;
};

// Gives the pty the size of our terminal; without one nothing changes.
void copy_window_size(FdRef master);

// The master end that init sends: one message with one descriptor. It gets our terminal's size at once,
// before the program can ask for it.
Result<UniqueFd> receive_master(FdRef socket);

}  // namespace capsule::launch
