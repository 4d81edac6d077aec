// What is asked of systemd, as text: between capsule and capsule-systemd, the program inside it that speaks
// D-Bus. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/systemd_properties.h"
#include "cgroups/systemd_unit.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

inline constexpr int kSystemdTimeoutMs = 30'000;  // of one conversation: what runc and crun wait for a job

// Descriptors of capsule-systemd besides its standard streams.
inline constexpr int kAnswerDescriptor = 3;   // "+", or what went wrong; then the end of file
inline constexpr int kRequestDescriptor = 4;  // a request, as encode() writes it
inline constexpr char kAnswerDone = '+';

struct SystemdRequest {
  // start_around_me: the scope is made around capsule-systemd itself, which stays in it until it is killed.
  enum class Verb : std::uint8_t { start, start_around_me, stop, change };
  Verb verb = Verb::start;
  Manager manager = Manager::system;
  std::uint32_t uid = 0;
  std::string unit;
  std::vector<PlannedProperty> properties;
};

std::string encode(const SystemdRequest& request);
//   fails   peer: it is not what encode() wrote
Result<SystemdRequest> decode_request(std::string_view text);

}  // namespace capsule::cgroups
