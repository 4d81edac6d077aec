#include "runtime/base/latency.h"

#include <array>
#include <cstddef>
#include <ctime>

#include "runtime/base/log.h"
#include "runtime/base/text.h"

namespace capsule::latency {
namespace {

constexpr std::size_t kMostParts = 32;
constexpr std::size_t kWidth = 9;  // of the number: up to a quarter of an hour

struct Part {
  std::string_view name;
  std::uint64_t ended = 0;
};

// Touched at --log-level debug alone, so it lies with what is (runtime/startup/layout.ld).
[[gnu::section(".bss.large")]] constinit std::array<Part, kMostParts> parts{};
std::size_t count = 0;

std::uint64_t now(clockid_t clock) {
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNanoseconds + static_cast<std::uint64_t>(time.tv_nsec);
}

// Nobody noted when the process was made; what it has used of a processor since is close to it.
std::uint64_t first_moment() {
  return now(CLOCK_MONOTONIC) - now(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace

void mark(std::string_view part) {
  if (!log::is_enabled(log::Level::debug) || count == kMostParts) return;
  if (count == 0) parts[count++] = {"", first_moment()};
  parts[count++] = {part, now(CLOCK_MONOTONIC)};
}

void report() {
  if (count == 0) return;
  for (std::size_t i = 1; i < count; ++i)
    log::debug(describe_part(parts[i].name, parts[i].ended - parts[i - 1].ended));
  log::debug(describe_part("in all", parts[count - 1].ended - parts[0].ended));
  count = 0;
}

std::string describe_part(std::string_view part, std::uint64_t nanoseconds) {
  constexpr std::uint64_t kMicrosecond = 1000;
  const std::string number = std::to_string(nanoseconds / kMicrosecond);
  const std::size_t padding = number.size() < kWidth ? kWidth - number.size() : 0;
  return cat({"latency ", std::string(padding, ' '), number, " us  ", part});
}

}  // namespace capsule::latency
