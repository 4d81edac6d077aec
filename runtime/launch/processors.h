// The processors that we may run on, and the one that we stay on.
#pragma once

#include <array>
#include <cstddef>

namespace capsule::launch {

// A set of them, as sched_setaffinity(2) takes it.
struct Processors {
  std::array<unsigned long, 16> mask{};  // 1024; where there are more the kernel refuses to tell
  long size = 0;                         // bytes of it that count; not positive: nothing is known

  [[nodiscard]] std::size_t count() const;
};

// Those that we were allowed when this was first asked, wherever we stay since.
const Processors& allowed_processors();
// The one that we run on.
Processors own_processor();
// All that we are allowed but that one.
Processors other_processors();

//   thread   its number; 0: ourselves
// What the kernel refuses is left as it was.
void bind_thread(long thread, const Processors& processors);

// Until leave_processor() we run, and wake, on the processor that we run on, and what we clone begins there.
// For a command that mostly waits for another process: woken elsewhere it would wake a processor
// that sleeps, and the kernel interrupts each one that has ever run us when our memory is taken down.
void stay_on_processor();
// Where we were allowed before. Ahead of what may take long, or lives longer than we do. No-op where we do
// not stay.
void leave_processor();

}  // namespace capsule::launch
