#include "runtime/launch/notify_message.h"

#include <algorithm>
#include <array>

#include "runtime/base/text.h"

namespace capsule::launch {
namespace {

enum class Value : unsigned char { one, number, text };

struct Known {
  std::string_view name;
  Value value;
};
constexpr auto kPassedOn = std::to_array({
    Known{"RELOADING", Value::one},
    Known{"STOPPING", Value::one},
    Known{"WATCHDOG", Value::one},
    Known{"STATUS", Value::text},
    Known{"MONOTONIC_USEC", Value::number},
    Known{"EXTEND_TIMEOUT_USEC", Value::number},
});

bool is_number(std::string_view value) {
  constexpr std::size_t kDigitsOfUint64 = 20;
  return !value.empty() && value.size() <= kDigitsOfUint64 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_plain_text(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool is_valid(Value kind, std::string_view value) {
  if (kind == Value::one) return value == "1";
  return kind == Value::number ? is_number(value) : is_plain_text(value);
}

bool is_passed_on(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const auto* known = std::find_if(kPassedOn.begin(), kPassedOn.end(),
                                   [&](const Known& k) { return k.name == line.substr(0, equals); });
  return known != kPassedOn.end() && is_valid(known->value, line.substr(equals + 1));
}

}  // namespace

Notification filter_notification(std::string_view datagram) {
  Notification result;
  for (const std::string_view line : split(datagram, '\n')) {
    if (line == "READY=1") result.ready = true;
    if (is_passed_on(line)) result.lines.append(line).append("\n");
  }
  return result;
}

bool is_notify_address(std::string_view address) {
  constexpr std::size_t kMaxAddress = 107;  // sun_path, with its NUL
  return address.size() > 1 && address.size() <= kMaxAddress && (address[0] == '/' || address[0] == '@');
}

}  // namespace capsule::launch
