#include "runtime/cli/update_options.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

Error bad_value(std::string_view option, std::string_view text, std::string_view wanted) {
  return Error::unsupported(cat({"invalid value ", quoted(text), " for --", option, ": must be ", wanted}));
}

// "", "b", "k", "kb", "kib", …: how often 1024 is taken.
std::optional<unsigned> exponent_of(std::string_view unit) {
  constexpr std::string_view kLetters = "kmgtp";
  if (unit.empty() || unit == "b") return 0;
  const std::size_t place = kLetters.find(unit.front());
  const std::string_view rest = unit.substr(1);
  if (place == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
  return static_cast<unsigned>(place) + 1;
}

// Of ".5", in units of `unit` bytes, rounded down.
std::optional<std::uint64_t> fraction_of(std::string_view digits, std::uint64_t unit) {
  std::uint64_t fraction = 0;
  std::uint64_t divisor = 1;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    if (divisor >= 1000) continue;  // less than a thousandth of a unit is nobody's wish
    divisor *= 10;
    fraction = fraction * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return fraction * unit / divisor;
}

template <class T>
void take_number(Given& given, std::string_view name, std::optional<T>& target) {
  given.read(name, [name, &target](std::string_view text) -> Status {
    target = parse_integer<T>(text);
    if (target.has_value()) return {};
    return bad_value(name, text, std::is_signed_v<T> ? "a number" : "a number from 0 up, in range");
  });
}

void take_size(Given& given, std::string_view name, std::optional<std::int64_t>& target) {
  given.read(name, [name, &target](std::string_view text) -> Status {
    target = TRY(parse_size(name, text));
    return {};
  });
}

void take_text(Given& given, std::string_view name, std::optional<std::string>& target) {
  given.read(name, [&target](std::string_view text) -> Status {
    target = std::string(text);
    return {};
  });
}

void take_cpu(Given& given, spec::Cpu& cpu) {
  take_number(given, "cpu-period", cpu.period);
  take_number(given, "cpu-quota", cpu.quota);
  take_number(given, "cpu-burst", cpu.burst);
  take_number(given, "cpu-share", cpu.shares);
  take_number(given, "cpu-rt-period", cpu.realtime_period);
  take_number(given, "cpu-rt-runtime", cpu.realtime_runtime);
  take_number(given, "cpu-idle", cpu.idle);
  take_text(given, "cpuset-cpus", cpu.cpus);
  take_text(given, "cpuset-mems", cpu.mems);
}

void take_memory(Given& given, spec::Memory& memory) {
  take_size(given, "memory", memory.limit);
  take_size(given, "memory-reservation", memory.reservation);
  take_size(given, "memory-swap", memory.swap);
}

void take_ignored(Given& given, std::string_view name, std::vector<std::string>& ignored) {
  given.read(name, [name, &ignored](std::string_view) -> Status {
    ignored.push_back(cat({"--", name}));
    return {};
  });
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view option, std::string_view text) {
  constexpr std::string_view kWanted = "a number of bytes such as 512m, or -1 for no limit";
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (text == "-1") return std::int64_t{-1};
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, end);
  const std::size_t dot = std::min(number.find('.'), number.size());
  const std::optional<unsigned> exponent = exponent_of(to_lower(text.substr(end)));
  const std::optional<std::uint64_t> whole = parse_integer<std::uint64_t>(number.substr(0, dot));
  if (!exponent || !whole) return bad_value(option, text, kWanted);
  const std::uint64_t unit = std::uint64_t{1} << (10 * *exponent);
  const auto fraction = fraction_of(dot == number.size() ? "" : number.substr(dot + 1), unit);
  if (!fraction || *whole > (kMost - *fraction) / unit) return bad_value(option, text, kWanted);
  return static_cast<std::int64_t>(*whole * unit + *fraction);
}

void take_update(Given& given, UpdateOptions& options) {
  spec::LinuxResources& resources = options.change.resources;
  take_text(given, "resources", options.file);
  take_number(given, "blkio-weight", resources.block_io.emplace().weight);
  take_cpu(given, resources.cpu.emplace());
  take_memory(given, resources.memory.emplace());
  take_number(given, "pids-limit", resources.pids.emplace().limit);
  take_text(given, "l3-cache-schema", options.change.l3_cache_schema);
  take_text(given, "mem-bw-schema", options.change.mem_bw_schema);
  take_ignored(given, "kernel-memory", options.ignored);
  take_ignored(given, "kernel-memory-tcp", options.ignored);
}

}  // namespace capsule::cli
