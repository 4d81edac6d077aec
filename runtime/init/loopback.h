// The loopback device of the calling thread's network namespace.
#pragma once

#include "runtime/init/raw.h"

namespace capsule::init {

// Sets it up (netdevice(7)); where it is up already, the kernel has next to nothing to do.
//   call     set to the system call that failed
//   returns  0, or -errno
inline long raise_loopback(const char*& call) {
  struct {
    char name[16];
    short flags;
    char rest[22];
  } request{"lo", 0x41 /* IFF_UP | IFF_RUNNING */, {}};
  constexpr int kAfInet = 2, kSockDgram = 2;
  constexpr unsigned long kSiocsifflags = 0x8914;
  call = "socket";
  const long socket = raw::socket(kAfInet, kSockDgram | raw::kOCloexec, 0);
  if (socket < 0) return socket;
  call = "ioctl SIOCSIFFLAGS";
  const long up = raw::ioctl(static_cast<int>(socket), kSiocsifflags, &request);
  raw::close(static_cast<int>(socket));
  return up;
}

}  // namespace capsule::init
