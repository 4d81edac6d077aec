// Device rules in the order a program asks them: the last rule of the list first, so that the first match
// decides. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

// A jump spans 32767 instructions and a match makes at most three; nor should a list be asked at length for
// each device that is opened.
inline constexpr std::size_t kMostDeviceRules = 8192;

enum class DeviceType : std::uint8_t { any, block, character };

// As the kernel counts them: BPF_DEVCG_ACC_* of linux/bpf.h.
inline constexpr std::uint32_t kAccessMknod = 1;
inline constexpr std::uint32_t kAccessRead = 2;
inline constexpr std::uint32_t kAccessWrite = 4;
inline constexpr std::uint32_t kAccessAll = 7;

// A rule decides about a request if type and numbers agree and
//   its access is "rwm"; or it allows, and every access requested is among its own; or it denies, and one of
//   them is.
// So "deny w" refuses to open for reading and writing, though the request asks for more than the rule names.
struct DeviceMatch {
  bool allow = false;
  DeviceType type = DeviceType::any;
  std::optional<std::uint32_t> major;  // nullopt: any
  std::optional<std::uint32_t> minor;
  std::uint32_t access = kAccessAll;
};

struct DevicePolicy {
  std::vector<DeviceMatch> matches;  // none is decided by those before it
  bool allow_rest = false;
};

//   fails   invalid_config with /linux/resources/devices/N/…
Result<DevicePolicy> plan_device_policy(const std::vector<spec::DeviceRule>& rules);

}  // namespace capsule::cgroups
