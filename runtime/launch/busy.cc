#include "runtime/launch/busy.h"

#include <fcntl.h>

#include <array>
#include <bit>
#include <numeric>
#include <vector>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/init/raw.h"

namespace capsule::launch {
namespace {

// Of the first 1024; 0: nobody can tell.
std::size_t count_processors() {
  std::array<unsigned long, 16> mask{};
  if (init::raw::call(__NR_sched_getaffinity, 0, sizeof(mask), mask.data()) <= 0) return 0;
  return std::accumulate(mask.begin(), mask.end(), std::size_t{0}, [](std::size_t sum, unsigned long part) {
    return sum + static_cast<std::size_t>(std::popcount(part));
  });
}

// Us included.
std::optional<std::size_t> count_runnable() {
  const Result<UniqueFd> file = sys::openat(FdRef::cwd(), "/proc/loadavg", O_RDONLY);
  if (!file.has_value()) return std::nullopt;
  std::array<char, 64> line{};
  const Result<std::size_t> size = sys::read(file.value(), line);
  return size.has_value() ? parse_runnable({line.data(), size.value()}) : std::nullopt;
}

}  // namespace

// "0.52 0.58 0.59 3/389 12345": the 3.
std::optional<std::size_t> parse_runnable(std::string_view loadavg) {
  constexpr std::size_t kField = 3;
  const std::vector<std::string_view> fields = split(loadavg, ' ');
  if (fields.size() <= kField) return std::nullopt;
  const std::size_t slash = fields[kField].find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return parse_integer<std::size_t>(fields[kField].substr(0, slash));
}

bool is_machine_busy() {
  const std::size_t processors = count_processors();
  return processors != 0 && count_runnable().value_or(0) > processors;
}

}  // namespace capsule::launch
