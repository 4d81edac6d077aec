#include "cgroups/device_policy.h"

#include <algorithm>
#include <array>

#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// dev_t inside the kernel is 12 bits of major and 20 of minor (linux/kdev_t.h).
constexpr std::int64_t kMostMajor = (1 << 12) - 1;
constexpr std::int64_t kMostMinor = (1 << 20) - 1;

constexpr DeviceMatch allow_character(std::uint32_t major, std::optional<std::uint32_t> minor) {
  return {true, DeviceType::character, major, minor, kAccessAll};
}

// What every container has, behind all rules of its own: the list runc and crun share. mknod alone opens
// nothing.
constexpr auto kDefaults = std::to_array({
    DeviceMatch{true, DeviceType::any, std::nullopt, std::nullopt, kAccessMknod},
    allow_character(1, 3),               // null
    allow_character(1, 5),               // zero
    allow_character(1, 7),               // full
    allow_character(1, 8),               // random
    allow_character(1, 9),               // urandom
    allow_character(5, 0),               // tty
    allow_character(5, 1),               // console
    allow_character(5, 2),               // ptmx
    allow_character(10, 200),            // net/tun
    allow_character(136, std::nullopt),  // pts/*
});

Result<std::optional<std::uint32_t>> parse_number(const std::optional<std::int64_t>& number,
                                                  std::int64_t most,
                                                  const std::string& field) {
  if (!number.has_value() || *number == -1) return std::optional<std::uint32_t>();
  if (*number < 0 || *number > most) {
    return Error::invalid_config(field,
                                 cat({"must be between 0 and ", std::to_string(most), ", or -1 for any"}));
  }
  return std::optional(static_cast<std::uint32_t>(*number));
}

Result<std::uint32_t> parse_access(const std::optional<std::string>& text, const std::string& field) {
  std::uint32_t access = 0;
  for (const char letter : text.value_or("")) {
    if (letter == 'r') {
      access |= kAccessRead;
    } else if (letter == 'w') {
      access |= kAccessWrite;
    } else if (letter == 'm') {
      access |= kAccessMknod;
    } else {
      return Error::invalid_config(field, "must be made of the letters r, w and m");
    }
  }
  if (access == 0)
    return Error::invalid_config(field, "device access cannot be empty: name some of r, w and m");
  return access;
}

Result<DeviceMatch> parse_rule(const spec::DeviceRule& rule, const std::string& field) {
  DeviceMatch match{.allow = rule.allow};
  const std::string type = rule.type.value_or("a");
  // "a" is everything, whatever else the rule says: so it was in cgroup v1, and {"allow": false, "access":
  // "rwm"} relies on it.
  if (type == "a" || type.empty()) return match;
  if (type != "b" && type != "c") return Error::invalid_config(cat({field, "/type"}), "must be a, b or c");

  match.type = type == "b" ? DeviceType::block : DeviceType::character;
  match.major = TRY(parse_number(rule.major, kMostMajor, cat({field, "/major"})));
  match.minor = TRY(parse_number(rule.minor, kMostMinor, cat({field, "/minor"})));
  match.access = TRY(parse_access(rule.access, cat({field, "/access"})));
  return match;
}

bool covers(const std::optional<std::uint32_t>& wide, const std::optional<std::uint32_t>& narrow) {
  return !wide.has_value() || wide == narrow;
}

// True if whatever `later` could decide is decided by `earlier` already.
bool settles(const DeviceMatch& earlier, const DeviceMatch& later) {
  const bool same_devices = (earlier.type == DeviceType::any || earlier.type == later.type) &&
                            covers(earlier.major, later.major) && covers(earlier.minor, later.minor);
  const bool same_access = earlier.allow == later.allow &&
                           (later.access & ~earlier.access) == 0;  // otherwise only "rwm" takes every request
  return same_devices && (same_access || earlier.access == kAccessAll);
}

void append(std::vector<DeviceMatch>& matches, const DeviceMatch& match) {
  const bool is_settled = std::any_of(matches.begin(), matches.end(),
                                      [&](const DeviceMatch& earlier) { return settles(earlier, match); });
  if (!is_settled) matches.push_back(match);
}

bool is_everything(const DeviceMatch& match) {
  return match.type == DeviceType::any && !match.major && !match.minor && match.access == kAccessAll;
}

// Among neighbours with the same verdict the order is free: one test of the type serves all of a type.
void group_by_type(std::vector<DeviceMatch>& matches) {
  for (auto first = matches.begin(); first != matches.end();) {
    const auto last = std::find_if(first, matches.end(),
                                   [&](const DeviceMatch& match) { return match.allow != first->allow; });
    std::stable_sort(first, last,
                     [](const DeviceMatch& one, const DeviceMatch& other) { return one.type < other.type; });
    first = last;
  }
}

}  // namespace

Result<DevicePolicy> plan_device_policy(const std::vector<spec::DeviceRule>& rules) {
  if (rules.size() > kMostDeviceRules) {
    return Error::invalid_config("/linux/resources/devices",
                                 cat({"has ", std::to_string(rules.size()), " rules, one program holds ",
                                      std::to_string(kMostDeviceRules)}));
  }
  std::vector<DeviceMatch> listed;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    listed.push_back(TRY(parse_rule(rules[i], cat({"/linux/resources/devices/", std::to_string(i)}))));
  }

  DevicePolicy policy{{kDefaults.begin(), kDefaults.end()}, false};
  for (auto match = listed.rbegin(); match != listed.rend(); ++match) {
    if (is_everything(*match)) {
      policy.allow_rest = match->allow;
      break;
    }
    append(policy.matches, *match);
  }
  while (!policy.matches.empty() && policy.matches.back().allow == policy.allow_rest)
    policy.matches.pop_back();
  group_by_type(policy.matches);
  return policy;
}

}  // namespace capsule::cgroups
