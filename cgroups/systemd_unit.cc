#include "cgroups/systemd_unit.h"

#include <vector>

#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kField = "/linux/cgroupsPath";
constexpr std::string_view kSliceSuffix = ".slice";
constexpr std::string_view kScopeSuffix = ".scope";
constexpr std::size_t kLongestUnitName = 255;

bool is_unit_character(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

Status check_unit_name(const std::string& unit) {
  if (unit.size() > kLongestUnitName)
    return Error::invalid_config(kField, cat({quoted(unit), " is longer than a unit's name may be"}));
  for (const char c : unit) {
    if (is_unit_character(c)) continue;
    return Error::invalid_config(kField, cat({quoted(unit), " is no name for a unit: ",
                                              quoted(std::string_view(&c, 1)), " cannot stand in it"}));
  }
  return {};
}

// As systemd-escape(1) spells what cannot stand in a name: "+" is "\\x2b".
std::string escape(std::string_view id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (const char c : id) {
    if (is_unit_character(c)) {
      name.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name.append("\\x").append({kDigits[byte >> 4U], kDigits[byte & 0xfU]});
  }
  return name;
}

Result<ScopeName> split_name(const std::string& text) {
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 3) {
    return Error::invalid_config(
        kField, cat({"expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got ",
                     quoted(text), " instead"}));
  }
  const std::string name(parts[2]);
  if (name.empty()) return Error::invalid_config(kField, cat({quoted(text), " names no unit"}));
  if (name.ends_with(kSliceSuffix)) {
    return Error::invalid_config(
        kField, cat({quoted(name), " is a slice, which holds no processes: a container needs a scope"}));
  }
  std::string unit = name.ends_with(kScopeSuffix) ? name.substr(0, name.size() - kScopeSuffix.size()) : name;
  if (!parts[1].empty()) unit = cat({parts[1], "-", unit});
  return ScopeName{std::string(parts[0]), cat({unit, kScopeSuffix})};
}

}  // namespace

Result<ScopeName> plan_scope_name(const std::optional<std::string>& cgroups_path,
                                  std::string_view id,
                                  Manager manager) {
  const bool is_given = cgroups_path.has_value() && !cgroups_path->empty();
  ScopeName name = TRY(split_name(is_given ? *cgroups_path : cat({":capsule:", escape(id)})));
  if (name.slice.empty()) name.slice = manager == Manager::user ? "user.slice" : "system.slice";
  TRY(check_unit_name(name.unit));
  TRY(check_unit_name(name.slice));
  (void)TRY(expand_slice(name.slice));
  return name;
}

Result<std::string> expand_slice(std::string_view slice) {
  if (!slice.ends_with(kSliceSuffix) || slice == kSliceSuffix)
    return Error::invalid_config(kField, cat({quoted(slice), " is no slice: it must end in \".slice\""}));
  const std::string_view stem = slice.substr(0, slice.size() - kSliceSuffix.size());
  if (stem == "-") return std::string();
  std::string path;
  std::string prefix;
  for (const std::string_view part : split(stem, '-')) {
    if (part.empty())
      return Error::invalid_config(kField,
                                   cat({quoted(slice), " is no slice: a dash stands between two names"}));
    prefix = prefix.empty() ? std::string(part) : cat({prefix, "-", part});
    path.append(cat({"/", prefix, kSliceSuffix}));
  }
  return path;
}

std::string cgroup_of_user_manager(std::string_view own_path, std::uint32_t uid) {
  const std::string number = std::to_string(uid);
  const std::string service = cat({"/user@", number, ".service"});
  const std::size_t at = own_path.find(cat({service, "/"}));
  if (at != std::string_view::npos) return std::string(own_path.substr(0, at + service.size()));
  if (own_path.ends_with(service)) return std::string(own_path);
  return cat({"/user.slice/user-", number, ".slice", service});
}

bool is_below(std::string_view path, std::string_view ancestor) {
  return path == ancestor || (path.starts_with(ancestor) && path.substr(ancestor.size()).starts_with('/'));
}

}  // namespace capsule::cgroups
