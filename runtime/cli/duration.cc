#include "runtime/cli/duration.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uint64_t kMostNanoseconds = nanoseconds(std::chrono::hours(366 * 24)).count();

struct Unit {
  FixedText<3> name;
  std::uint64_t nanoseconds;
};
constexpr auto kUnits = std::to_array<Unit>({
    {"ns", 1},
    {"us", 1'000},
    {"\u00b5s", 1'000},  // the micro sign, which Go prints
    {"\u03bcs", 1'000},  // the Greek letter
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the start of `text`.
std::string_view take_digits(std::string_view& text) {
  const auto* end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

// Takes what is neither a digit nor a point.
std::optional<std::uint64_t> take_unit(std::string_view& text) {
  const auto* end = std::find_if(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [name](const Unit& known) { return known.name == name; });
  if (unit == std::end(kUnits)) return std::nullopt;
  return unit->nanoseconds;
}

// Too much is as good as more than a year.
std::uint64_t times(std::string_view digits, std::uint64_t unit) {
  const auto count = digits.empty() ? 0 : parse_integer<std::uint64_t>(digits).value_or(kMostNanoseconds + 1);
  std::uint64_t product = 0;
  return __builtin_mul_overflow(count, unit, &product) ? kMostNanoseconds + 1 : product;
}

std::uint64_t part_of(std::string_view places, std::uint64_t unit) {
  std::uint64_t part = 0;
  for (const char digit : places) {
    unit /= 10;
    part += static_cast<std::uint64_t>(digit - '0') * unit;
  }
  return part;
}

// One number with its unit: "1.5h".
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const std::string_view whole = take_digits(text);
  std::string_view places;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    places = take_digits(text);
  }
  if (whole.empty() && places.empty()) return std::nullopt;
  const std::optional<std::uint64_t> unit = take_unit(text);
  if (!unit) return std::nullopt;
  return times(whole, *unit) + part_of(places, *unit);
}

std::optional<std::uint64_t> parse_parts(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::optional<std::uint64_t> part = take_part(text);
    if (!part) return std::nullopt;
    sum = std::min(sum + std::min(*part, kMostNanoseconds + 1), kMostNanoseconds + 1);
  }
  return sum;
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view option, std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return Error::unsupported(cat({"invalid value ", quoted(text), " for ", option, ": ", why}));
  };
  const bool is_negative = text.starts_with('-');
  const bool is_signed = is_negative || text.starts_with('+');
  const std::optional<std::uint64_t> duration = parse_parts(text.substr(is_signed ? 1 : 0));
  if (!duration) return refused("must be a duration like 5s, 500ms or 1m30s");
  if (is_negative || *duration == 0) return refused("must be greater than 0");
  if (*duration > kMostNanoseconds) return refused("must be at most 8784h, a year");
  return std::chrono::ceil<milliseconds>(nanoseconds(*duration));
}

}  // namespace capsule::cli
