// Maps between the container's ids and the host's (user_namespaces(7)).
#include <algorithm>

#include "namespaces/plan.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// "         0     100000      65536", as the kernel prints it.
std::optional<spec::IdMapping> parse_range(std::string_view line) {
  std::vector<std::string_view> words = split(line, ' ');
  std::erase(words, std::string_view());
  if (words.size() != 3) return std::nullopt;
  const auto container_id = parse_integer<std::uint32_t>(words[0]);
  const auto id_on_host = parse_integer<std::uint32_t>(words[1]);
  const auto size = parse_integer<std::uint32_t>(words[2]);
  if (!container_id || !id_on_host || !size) return std::nullopt;
  return spec::IdMapping{.container_id = *container_id, .host_id = *id_on_host, .size = *size};
}

bool continues(const spec::IdMapping& before, const spec::IdMapping& next) {
  return next.container_id - before.container_id == before.size &&
         next.host_id - before.host_id == before.size;
}

// Sorted, and with neighbours made one: the kernel keeps a map as it was written, in one of many ways.
std::vector<spec::IdMapping> normalized(std::vector<spec::IdMapping> map) {
  std::sort(map.begin(), map.end(), [](const spec::IdMapping& a, const spec::IdMapping& b) {
    return a.container_id < b.container_id;
  });
  std::vector<spec::IdMapping> whole;
  for (const spec::IdMapping& range : map) {
    if (!whole.empty() && continues(whole.back(), range)) {
      whole.back().size += range.size;
    } else {
      whole.push_back(range);
    }
  }
  return whole;
}

}  // namespace

std::string describe_id_map(const std::vector<spec::IdMapping>& mappings) {
  std::string lines;
  for (const spec::IdMapping& mapping : mappings) {
    lines.append(cat({std::to_string(mapping.container_id), " ", std::to_string(mapping.host_id), " ",
                      std::to_string(mapping.size), "\n"}));
  }
  return lines;
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t container_id) {
  return host_id(mappings, container_id).has_value();
}

std::optional<std::uint32_t> host_id(const std::vector<spec::IdMapping>& mappings,
                                     std::uint32_t container_id) {
  for (const spec::IdMapping& mapping : mappings) {
    // Differences instead of sums: a range may end at the last id there is.
    if (container_id < mapping.container_id || container_id - mapping.container_id >= mapping.size) continue;
    const std::uint64_t id = std::uint64_t{mapping.host_id} + (container_id - mapping.container_id);
    if (id <= UINT32_MAX) return static_cast<std::uint32_t>(id);
  }
  return std::nullopt;
}

std::optional<std::vector<spec::IdMapping>> parse_id_map(std::string_view lines) {
  std::vector<spec::IdMapping> map;
  for (const std::string_view line : split(lines, '\n')) {
    if (line.empty()) continue;
    const std::optional<spec::IdMapping> range = parse_range(line);
    if (!range.has_value()) return std::nullopt;
    map.push_back(*range);
  }
  return map;
}

bool is_same_map(std::vector<spec::IdMapping> one, std::vector<spec::IdMapping> other) {
  const auto same = [](const spec::IdMapping& a, const spec::IdMapping& b) {
    return a.container_id == b.container_id && a.host_id == b.host_id && a.size == b.size;
  };
  one = normalized(std::move(one));
  other = normalized(std::move(other));
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), same);
}

}  // namespace capsule::ns
