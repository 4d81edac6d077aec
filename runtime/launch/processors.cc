#include "runtime/launch/processors.h"

#include <bit>
#include <numeric>

#include "runtime/init/raw.h"

namespace capsule::launch {
namespace {

namespace raw = init::raw;

struct State {
  Processors allowed;
  Processors own;      // while we stay
  bool stays = false;  // on it
};
State state;

Processors find_own_processor() {
  unsigned number = 0;
  raw::call(__NR_getcpu, &number, nullptr, nullptr);
  constexpr unsigned kBits = 8 * sizeof(unsigned long);
  Processors own;
  own.size = sizeof(own.mask);
  own.mask.at(number / kBits % own.mask.size()) = 1UL << (number % kBits);
  return own;
}

}  // namespace

std::size_t Processors::count() const {
  return std::accumulate(mask.begin(), mask.end(), std::size_t{0}, [](std::size_t sum, unsigned long part) {
    return sum + static_cast<std::size_t>(std::popcount(part));
  });
}

const Processors& allowed_processors() {
  Processors& allowed = state.allowed;
  if (allowed.size == 0)
    allowed.size = raw::call(__NR_sched_getaffinity, 0, sizeof(allowed.mask), allowed.mask.data());
  return allowed;
}

Processors own_processor() {
  return state.stays ? state.own : find_own_processor();
}

Processors other_processors() {
  Processors others = allowed_processors();
  const Processors own = own_processor();
  for (std::size_t i = 0; i < own.mask.size(); ++i)
    others.mask.at(i) &= ~own.mask.at(i);
  return others;
}

void bind_thread(long thread, const Processors& processors) {
  raw::call(__NR_sched_setaffinity, thread, processors.size, processors.mask.data());
}

void stay_on_processor() {
  if (state.stays || allowed_processors().count() < 2) return;
  state.own = find_own_processor();
  state.stays = true;
  bind_thread(0, state.own);
}

void leave_processor() {
  if (!state.stays) return;
  state.stays = false;
  bind_thread(0, state.allowed);
}

}  // namespace capsule::launch
