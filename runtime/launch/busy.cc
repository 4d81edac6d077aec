#include "runtime/launch/busy.h"

#include <fcntl.h>

#include <array>
#include <vector>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/processors.h"

namespace capsule::launch {
namespace {

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
  const std::size_t processors = allowed_processors().count();
  return processors != 0 && count_runnable().value_or(0) > processors;
}

}  // namespace capsule::launch
