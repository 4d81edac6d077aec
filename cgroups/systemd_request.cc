#include "cgroups/systemd_request.h"

#include <array>
#include <optional>

#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::array<std::string_view, 4> kVerbs = {"start", "start_around_me", "stop", "change"};
constexpr std::size_t kHeaderLines = 4;

Error not_a_request(std::string_view line) {
  return Error::peer(cat({"capsule-systemd was asked something it does not know: ", quoted(line)}));
}

// "244 AllowedCPUs [byte 3]"
Result<PlannedProperty> decode_property(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return not_a_request(line);
  const auto since = parse_integer<unsigned>(line.substr(0, first));
  if (!since.has_value()) return not_a_request(line);
  BusValue value = TRY(parse_gvariant(line.substr(second + 1)));
  return PlannedProperty{{std::string(line.substr(first + 1, second - first - 1)), std::move(value)}, *since};
}

std::optional<SystemdRequest::Verb> find_verb(std::string_view word) {
  for (std::size_t i = 0; i < kVerbs.size(); ++i)
    if (kVerbs[i] == word) return static_cast<SystemdRequest::Verb>(i);
  return std::nullopt;
}

}  // namespace

std::string encode(const SystemdRequest& request) {
  const bool is_system = request.manager == Manager::system;
  std::string text = cat({kVerbs[static_cast<std::size_t>(request.verb)], "\n", is_system ? "system" : "user",
                          "\n", std::to_string(request.uid), "\n", request.unit, "\n"});
  for (const PlannedProperty& p : request.properties)
    text.append(cat({std::to_string(p.since), " ", p.property.name, " ", describe(p.property.value), "\n"}));
  return text;
}

Result<SystemdRequest> decode_request(std::string_view text) {
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.size() < kHeaderLines) return not_a_request(text);
  const auto verb = find_verb(lines[0]);
  const auto uid = parse_integer<std::uint32_t>(lines[2]);
  if (!verb.has_value() || !uid.has_value()) return not_a_request(lines[0]);
  SystemdRequest request;
  request.verb = *verb;
  request.manager = lines[1] == "user" ? Manager::user : Manager::system;
  request.uid = *uid;
  request.unit = lines[3];
  for (std::size_t i = kHeaderLines; i < lines.size(); ++i)
    if (!lines[i].empty()) request.properties.push_back(TRY(decode_property(lines[i])));
  return request;
}

}  // namespace capsule::cgroups
