#include "cgroups/systemd_properties.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <optional>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::uint64_t kInfinity = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kSecondUs = 1'000'000;
constexpr std::uint64_t kQuotaStepUs = 10'000;  // systemd refuses finer shares of a second
constexpr std::uint64_t kHighestProcessor = 8191;

struct SimpleLimit {
  FixedText<16> file;
  FixedText<14> property;
  unsigned since;
};
// A number, or "max".
constexpr auto kSimpleLimits = std::to_array<SimpleLimit>({
    {"cpu.weight", "CPUWeight", 232},
    {"io.weight", "IOWeight", 230},
    {"memory.high", "MemoryHigh", 231},
    {"memory.low", "MemoryLow", 231},
    {"memory.max", "MemoryMax", 231},
    {"memory.min", "MemoryMin", 240},
    {"memory.swap.max", "MemorySwapMax", 232},
    {"memory.zswap.max", "MemoryZSwapMax", 253},
});

std::optional<std::uint64_t> parse_limit(std::string_view value) {
  constexpr std::string_view kDefault = "default ";  // of io.weight
  if (value.starts_with(kDefault)) value.remove_prefix(kDefault.size());
  if (value == "max") return kInfinity;
  return parse_integer<std::uint64_t>(value);
}

PlannedProperty number(std::string_view name, std::uint64_t value, unsigned since) {
  return {{std::string(name), BusValue::of_number(value)}, since};
}

// "50000 100000" of cpu.max.
void plan_quota(std::string_view value, std::vector<PlannedProperty>& properties) {
  const std::vector<std::string_view> words = split(value, ' ');
  if (words.empty()) return;
  const auto period = words.size() > 1 ? parse_integer<std::uint64_t>(words[1]) : std::nullopt;
  if (period.has_value()) properties.push_back(number("CPUQuotaPeriodUSec", *period, 242));
  if (words[0] == "max") {
    properties.push_back(number("CPUQuotaPerSecUSec", kInfinity, 213));
    return;
  }
  const auto quota = parse_integer<std::uint64_t>(words[0]);
  constexpr std::uint64_t kDefaultPeriodUs = 100'000;
  const std::uint64_t divisor = period.value_or(kDefaultPeriodUs);
  if (!quota.has_value() || divisor == 0 || *quota > kInfinity / kSecondUs) return;
  const std::uint64_t per_second = (*quota * kSecondUs + divisor - 1) / divisor;
  const std::uint64_t rounded = (per_second + kQuotaStepUs - 1) / kQuotaStepUs * kQuotaStepUs;
  properties.push_back(number("CPUQuotaPerSecUSec", rounded, 213));
}

void plan_list(std::string_view name, std::string_view value, std::vector<PlannedProperty>& properties) {
  const std::string bits = bits_of_list(value);
  if (!bits.empty()) properties.push_back({{std::string(name), BusValue::of_bytes(bits)}, 244});
}

void plan_line(const Write& write, std::vector<PlannedProperty>& properties) {
  for (const SimpleLimit& limit : kSimpleLimits) {
    if (limit.file != write.file) continue;
    if (const auto value = parse_limit(write.value))
      properties.push_back(number(limit.property, *value, limit.since));
    return;
  }
  if (write.file == "pids.max") {
    if (const auto value = parse_limit(write.value)) properties.push_back(number("TasksMax", *value, 227));
  } else if (write.file == "cpu.max") {
    plan_quota(write.value, properties);
  } else if (write.file == "cpu.idle" && write.value == "1") {
    properties.push_back(number("CPUWeight", 0, 252));
  } else if (write.file == "cpuset.cpus") {
    plan_list("AllowedCPUs", write.value, properties);
  } else if (write.file == "cpuset.mems") {
    plan_list("AllowedMemoryNodes", write.value, properties);
  } else if (write.file == "memory.oom.group") {
    properties.push_back({{"OOMPolicy", BusValue::of_text(write.value == "1" ? "kill" : "continue")}, 253});
  }
}

UnitProperty without_limit(const UnitProperty& property) {
  const bool is_protection = property.name == "MemoryLow" || property.name == "MemoryMin";
  if (property.value.signature == "t")
    return {property.name, BusValue::of_number(is_protection ? 0 : kInfinity)};
  if (property.value.signature == "ay") return {property.name, BusValue::of_bytes({})};
  return {property.name, BusValue::of_text("continue")};
}

std::string spell_access(std::uint32_t access) {
  std::string letters;
  if ((access & kAccessRead) != 0) letters.push_back('r');
  if ((access & kAccessWrite) != 0) letters.push_back('w');
  if ((access & kAccessMknod) != 0) letters.push_back('m');
  return letters;
}

// "/dev/char/1:3", "char-136", "char-*": what DeviceAllow calls a device (systemd.resource-control(5)).
std::string spell_device(const DeviceMatch& match, std::string_view kind) {
  if (!match.major.has_value()) return cat({kind, "-*"});
  const std::string major = std::to_string(*match.major);
  if (!match.minor.has_value()) return cat({kind, "-", major});
  return cat({"/dev/", kind, "/", major, ":", std::to_string(*match.minor)});
}

void allow(const DeviceMatch& match, std::string_view kind, std::vector<BusValue>& allowed) {
  allowed.push_back(BusValue::of_struct(
      {BusValue::of_text(spell_device(match, kind)), BusValue::of_text(spell_access(match.access))}));
}

Result<UnitProperty> plan_annotation(std::string_view name, const std::string& text) {
  constexpr std::size_t kShortestName = 3;
  constexpr std::string_view kSeconds = "Sec";
  if (name.size() < kShortestName) return Error::unsupported("name incorrect: too short");
  const bool is_of_letters = std::all_of(
      name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (!is_of_letters) return Error::unsupported("name incorrect: contains non-alphabetic character");
  BusValue value = TRY(parse_gvariant(text).context("value parse error"));
  const bool is_in_seconds = name.ends_with(kSeconds) && !name.ends_with("USec");
  if (!is_in_seconds) return UnitProperty{std::string(name), std::move(value)};

  const bool is_number = value.signature.size() == 1 &&
                         std::string_view("ynqiuxt").find(value.signature) != std::string_view::npos;
  const auto seconds = value.signature == "s" ? parse_integer<std::uint64_t>(value.text)
                       : is_number            ? std::optional(value.number)
                                              : std::nullopt;
  const std::string stem(name.substr(0, name.size() - kSeconds.size()));
  constexpr double kMostSeconds = 1e12;  // beyond that it is "infinity", in other words
  const double fraction = value.signature == "d" ? std::strtod(value.text.c_str(), nullptr) : -1;
  if (fraction >= 0 && fraction < kMostSeconds) {
    const auto rounded = static_cast<std::uint64_t>(fraction * static_cast<double>(kSecondUs));
    return UnitProperty{stem + "USec", BusValue::of_number(rounded)};
  }
  if (!seconds.has_value() || *seconds > kInfinity / kSecondUs)
    return Error::unsupported("value parse error: must be a number of seconds");
  return UnitProperty{stem + "USec", BusValue::of_number(*seconds * kSecondUs)};
}

}  // namespace

std::vector<PlannedProperty> plan_limit_properties(const std::vector<Write>& writes) {
  std::vector<PlannedProperty> all;
  for (const Write& write : writes)
    plan_line(write, all);
  // The same property twice would be the last one's, but not for a manager that adds up.
  std::vector<PlannedProperty> properties;
  for (auto later = all.begin(); later != all.end(); ++later) {
    const bool is_said_again = std::any_of(later + 1, all.end(), [&](const PlannedProperty& other) {
      return other.property.name == later->property.name;
    });
    if (!is_said_again) properties.push_back(std::move(*later));
  }
  return properties;
}

std::vector<PlannedProperty> plan_former_properties(const std::vector<PlannedProperty>& changed,
                                                    const std::vector<Write>& before) {
  const std::vector<PlannedProperty> had = plan_limit_properties(before);
  std::vector<PlannedProperty> former;
  for (const PlannedProperty& p : changed) {
    const auto found = std::find_if(had.begin(), had.end(), [&](const PlannedProperty& other) {
      return other.property.name == p.property.name;
    });
    former.push_back(found != had.end() ? *found : PlannedProperty{without_limit(p.property), p.since});
  }
  return former;
}

std::vector<PlannedProperty> plan_device_properties(const DevicePolicy& policy) {
  std::vector<BusValue> allowed;
  for (const DeviceMatch& match : policy.matches) {
    if (!match.allow) continue;
    if (match.type != DeviceType::block) allow(match, "char", allowed);
    if (match.type != DeviceType::character) allow(match, "block", allowed);
  }
  // Emptied first: a unit that is changed keeps what it had.
  std::vector<PlannedProperty> properties{{{"DeviceAllow", BusValue::of_array("(ss)", {})}, 0}};
  properties.push_back({{"DevicePolicy", BusValue::of_text(policy.allow_rest ? "auto" : "strict")}, 0});
  if (!policy.allow_rest)
    properties.push_back({{"DeviceAllow", BusValue::of_array("(ss)", std::move(allowed))}, 240});
  return properties;
}

Result<std::vector<UnitProperty>> plan_annotation_properties(
    const std::map<std::string, std::string>& annotations) {
  constexpr std::string_view kPrefix = "org.systemd.property.";
  std::vector<UnitProperty> properties;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(kPrefix)) continue;
    properties.push_back(
        TRY(plan_annotation(std::string_view(key).substr(kPrefix.size()), text).context("annotation ", key)));
  }
  return properties;
}

std::string bits_of_list(std::string_view list) {
  std::string bits;
  for (const std::string_view range : split(list, ',')) {
    const std::size_t dash = range.find('-');
    const auto first = parse_integer<std::uint64_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_integer<std::uint64_t>(range.substr(dash + 1));
    if (!first.has_value() || !last.has_value() || *last > kHighestProcessor) return {};
    for (std::uint64_t i = *first; i <= *last; ++i) {
      if (bits.size() <= i / 8) bits.resize(i / 8 + 1, '\0');
      bits[i / 8] = static_cast<char>(static_cast<unsigned char>(bits[i / 8]) | (1U << (i % 8)));
    }
  }
  return bits;
}

}  // namespace capsule::cgroups
