// The texts of a cgroup's files to numbers.

#include <algorithm>

#include "cgroups/stats.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

Error malformed(std::string_view file, std::string_view text) {
  return Error::unsupported(cat({file, ": the kernel says something unknown: ", quoted(text)}));
}

std::string_view without_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// The number in "avg10=1.23" as 123: the kernel prints two places always.
std::optional<std::uint64_t> parse_hundredths(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() - point != 3) return std::nullopt;
  const auto whole = parse_integer<std::uint32_t>(text.substr(0, point));
  const auto places = parse_integer<std::uint32_t>(text.substr(point + 1));
  if (!whole || !places) return std::nullopt;
  return std::uint64_t{*whole} * 100 + *places;
}

// `text` without `key` and "=" before it.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  if (!text.starts_with(key) || text.substr(key.size(), 1) != "=") return std::nullopt;
  return text.substr(key.size() + 1);
}

std::optional<spec::PressureLine> parse_pressure_words(const std::vector<std::string_view>& words) {
  if (words.size() != 5) return std::nullopt;
  const auto avg10 = parse_hundredths(value_of(words[1], "avg10").value_or(""));
  const auto avg60 = parse_hundredths(value_of(words[2], "avg60").value_or(""));
  const auto avg300 = parse_hundredths(value_of(words[3], "avg300").value_or(""));
  const auto total = parse_integer<std::uint64_t>(value_of(words[4], "total").value_or(""));
  if (!avg10 || !avg60 || !avg300 || !total) return std::nullopt;
  return spec::PressureLine{.avg10 = *avg10, .avg60 = *avg60, .avg300 = *avg300, .total_us = *total};
}

struct IoKey {
  std::string_view key;
  std::vector<spec::BlockIoEntry> spec::BlockIoStats::*list;
  const char* op;
};
constexpr IoKey kIoKeys[] = {
    {"rbytes", &spec::BlockIoStats::bytes, "Read"},
    {"wbytes", &spec::BlockIoStats::bytes, "Write"},
    {"rios", &spec::BlockIoStats::operations, "Read"},
    {"wios", &spec::BlockIoStats::operations, "Write"},
};

// False: a number that is none.
bool take_io_word(std::string_view word, spec::BlockIoEntry device, spec::BlockIoStats& stats) {
  for (const IoKey& known : kIoKeys) {
    const std::optional<std::string_view> text = value_of(word, known.key);
    if (!text) continue;
    const auto value = parse_integer<std::uint64_t>(*text);
    if (!value) return false;
    device.op = known.op;
    device.value = *value;
    (stats.*known.list).push_back(std::move(device));
    return true;
  }
  return true;
}

bool take_io_line(std::string_view line, spec::BlockIoStats& stats) {
  const std::vector<std::string_view> words = split(line, ' ');
  const std::string_view device = words[0];
  const std::size_t colon = device.find(':');
  if (colon == std::string_view::npos) return false;
  const auto major = parse_integer<std::uint64_t>(device.substr(0, colon));
  const auto minor = parse_integer<std::uint64_t>(device.substr(colon + 1));
  if (!major || !minor) return false;
  return std::all_of(words.begin() + 1, words.end(), [&](std::string_view word) {
    return take_io_word(word, {.major = *major, .minor = *minor}, stats);
  });
}

}  // namespace

Result<std::uint64_t> parse_amount(std::string_view text, std::string_view file) {
  text = without_newline(text);
  if (text == "max") return spec::kUnlimited;
  const auto amount = parse_integer<std::uint64_t>(text);
  if (!amount) return malformed(file, text);
  return *amount;
}

Result<Counters> parse_counters(std::string_view text, std::string_view file) {
  Counters counters;
  for (const std::string_view line : split(without_newline(text), '\n')) {
    const std::size_t space = line.find(' ');
    const auto number =
        space == std::string_view::npos ? std::nullopt : parse_integer<std::uint64_t>(line.substr(space + 1));
    if (!number || space == 0) return malformed(file, line);
    counters.emplace(line.substr(0, space), *number);
  }
  return counters;
}

Result<std::vector<std::uint16_t>> parse_number_list(std::string_view text, std::string_view file) {
  std::vector<std::uint16_t> numbers;
  for (const std::string_view range : split(without_newline(text), ',')) {
    const std::size_t dash = range.find('-');
    const auto first = parse_integer<std::uint16_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_integer<std::uint16_t>(range.substr(dash + 1));
    if (!first || !last || *first > *last) return malformed(file, text);
    for (std::uint32_t number = *first; number <= *last; ++number)
      numbers.push_back(static_cast<std::uint16_t>(number));
  }
  return numbers;
}

Result<spec::Pressure> parse_pressure(std::string_view text, std::string_view file) {
  spec::Pressure pressure;
  for (const std::string_view line : split(without_newline(text), '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    const std::optional<spec::PressureLine> parsed = parse_pressure_words(words);
    if (!parsed || (words[0] != "some" && words[0] != "full")) return malformed(file, line);
    (words[0] == "some" ? pressure.some : pressure.full) = *parsed;
  }
  return pressure;
}

Result<spec::BlockIoStats> parse_io_stat(std::string_view text, std::string_view file) {
  spec::BlockIoStats stats;
  for (const std::string_view line : split(without_newline(text), '\n')) {
    if (line.empty() || !take_io_line(line, stats)) return malformed(file, line);
  }
  return stats;
}

std::string find_schema(std::string_view schemata, std::string_view prefix) {
  for (std::string_view line : split(schemata, '\n')) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));  // the kernel aligns the names
    if (line.starts_with(prefix)) return std::string(line);
  }
  return {};
}

}  // namespace capsule::cgroups
