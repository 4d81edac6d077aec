#include "runtime/cli/table.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

constexpr std::size_t kMinWidth = 12;
constexpr std::size_t kPadding = 3;

// Characters, not bytes: names may be UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), kMinWidth);
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]) + kPadding);
  }
  return widths;
}

}  // namespace

std::string describe_table(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<std::size_t> widths = column_widths(rows);
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text.append(row[i]);
      if (i + 1 < row.size()) text.append(widths[i] - width_of(row[i]), ' ');
    }
    text.push_back('\n');
  }
  return text;
}

std::string owner_name(std::string_view passwd, std::uint32_t uid) {
  for (const std::string_view line : split(passwd, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() >= 3 && parse_integer<std::uint32_t>(fields[2]) == uid) return std::string(fields[0]);
  }
  return "#" + std::to_string(uid);
}

}  // namespace capsule::cli
