// The ids an ordinary user may map besides its own: subuid(5), subgid(5).
#include <algorithm>

#include "namespaces/plan.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// Id 4294967295 is -1, "no id", and cannot be mapped (user_namespaces(7)).
constexpr std::uint32_t kNoId = UINT32_MAX;

// "name:start:count", all of it; any other line is nobody's, as for newuidmap.
std::optional<IdRange> parse_line(std::string_view line, std::string_view user, std::uint32_t uid) {
  const std::vector<std::string_view> fields = split(line, ':');
  if (fields.size() != 3) return std::nullopt;
  const bool by_name = !user.empty() && fields[0] == user;
  if (!by_name && parse_integer<std::uint32_t>(fields[0]) != uid) return std::nullopt;

  const auto first = parse_integer<std::uint32_t>(fields[1]);
  const auto size = parse_integer<std::uint32_t>(fields[2]);
  if (!first || !size || *size == 0 || *size > kNoId - *first) return std::nullopt;
  return IdRange{*first, *size};
}

bool overlap(const IdRange& a, const spec::IdMapping& b) {
  return a.first <= b.host_id ? b.host_id - a.first < a.size : a.first - b.host_id < b.size;
}

}  // namespace

std::vector<IdRange> parse_subordinate_ids(std::string_view text, std::string_view user, std::uint32_t uid) {
  std::vector<IdRange> ranges;
  for (const std::string_view line : split(text, '\n')) {
    const std::optional<IdRange> range = parse_line(line, user, uid);
    if (range.has_value()) ranges.push_back(*range);
  }
  return ranges;
}

std::vector<spec::IdMapping> automatic_map(std::uint32_t own_id, const std::vector<IdRange>& ranges) {
  std::vector<spec::IdMapping> map{{.container_id = 0, .host_id = own_id, .size = 1}};
  std::uint32_t next = 1;
  for (const IdRange& range : ranges) {
    if (map.size() == kMostRanges) break;
    // An id may stand in a map once: of ranges that overlap the first counts.
    const bool taken = std::any_of(map.begin(), map.end(),
                                   [&](const spec::IdMapping& earlier) { return overlap(range, earlier); });
    if (taken || range.size > kNoId - next) continue;
    map.push_back({.container_id = next, .host_id = range.first, .size = range.size});
    next += range.size;
  }
  return map;
}

}  // namespace capsule::ns
