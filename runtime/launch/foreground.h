// Waiting for a process in the foreground: its terminal, our signals, its exit code.
#pragma once

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/base/sys.h"
#include "runtime/launch/notify.h"
#include "runtime/launch/spawn.h"

namespace capsule::launch {

// Signals arrive here instead of ending us, from construction on: made before the container, so that none is
// lost between.
class SignalQueue {
 public:
  static Result<SignalQueue> open();
  SignalQueue(SignalQueue&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_) {}
  SignalQueue& operator=(SignalQueue&&) = delete;
  ~SignalQueue();  // the mask as it was
  [[nodiscard]] FdRef fd() const noexcept { return fd_; }

 private:
  SignalQueue(UniqueFd fd, sys::SignalMask before) : fd_(std::move(fd)), before_(before) {}
  UniqueFd fd_;
  sys::SignalMask before_;
};

// Forwards signals and terminal data until the process ends; reaps what is reparented to us meanwhile.
//   master   the terminal's master end, or a closed descriptor
//   relay    its messages to the service manager, or nullptr
//   returns  its exit code, 128+N if signal N killed it
Result<int> wait_in_foreground(const SignalQueue& signals,
                               InitProcess& process,
                               UniqueFd master,
                               NotifyRelay* relay);

}  // namespace capsule::launch
