// /dev: default devices, /linux/devices, and the links every Linux program expects
// (config-linux.md#default-devices, runtime-linux.md).
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "namespaces/plan.h"
#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

struct DefaultDevice {
  std::string_view path;
  std::uint32_t major;
  std::uint32_t minor;
};
constexpr auto kDefaultDevices = std::to_array({
    DefaultDevice{"/dev/null", 1, 3},
    DefaultDevice{"/dev/zero", 1, 5},
    DefaultDevice{"/dev/full", 1, 7},
    DefaultDevice{"/dev/tty", 5, 0},
    DefaultDevice{"/dev/random", 1, 8},
    DefaultDevice{"/dev/urandom", 1, 9},
});

struct Link {
  FixedText<15> path;
  FixedText<15> value;
  bool replace = false;
};
constexpr auto kLinks = std::to_array({
    Link{"/dev/fd", "/proc/self/fd"}, Link{"/dev/stdin", "/proc/self/fd/0"},
    Link{"/dev/stdout", "/proc/self/fd/1"}, Link{"/dev/stderr", "/proc/self/fd/2"},
    Link{"/dev/core", "/proc/kcore"},
    Link{"/dev/ptmx", "pts/ptmx", true},  // an image's own node would open the host's terminals
});

// The kernel's dev_t: 12 bits and 20 bits. mknod(2) would cut what is beyond, and make another device.
constexpr std::int64_t kMaxMajor = (1 << 12) - 1;
constexpr std::int64_t kMaxMinor = (1 << 20) - 1;
constexpr std::uint32_t kDefaultMode = 0666;

bool is_dev_from_host(const spec::Spec& spec) {
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    if (clean_path(spec.mounts[i].destination) == "/dev" && read_mount(spec, i).is_bind()) return true;
  }
  return false;
}

bool is_listed(const spec::Spec& spec, std::string_view path) {
  const std::vector<spec::Device>& devices = linux_of(spec).devices;
  return std::any_of(devices.begin(), devices.end(),
                     [path](const spec::Device& d) { return clean_path(d.path) == path; });
}

Result<std::uint32_t> device_number(const std::optional<std::int64_t>& number,
                                    std::int64_t limit,
                                    const std::string& pointer) {
  if (!number.has_value()) return Error::invalid_config(pointer, "is needed for a device of this type");
  if (*number < 0 || *number > limit) {
    return Error::invalid_config(pointer, cat({"must be between 0 and ", std::to_string(limit)}));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::uint32_t> file_type(const spec::Device& device, const std::string& pointer) {
  if (device.type == "c" || device.type == "u") return std::uint32_t{S_IFCHR};
  if (device.type == "b") return std::uint32_t{S_IFBLK};
  if (device.type == "p") return std::uint32_t{S_IFIFO};
  return Error::invalid_config(
      pointer + "/type", cat({quoted(device.type), " is not a device type, must be one of c, b, u, p"}));
}

Result<std::string> device_target(const spec::Device& device, const std::string& pointer) {
  if (contains_nul(device.path)) return Error::invalid_config(pointer + "/path", "path contains null byte");
  if (!device.path.starts_with('/')) return Error::invalid_config(pointer + "/path", "must be absolute");
  std::string target = clean_path(device.path);
  if (target == "/")
    return Error::invalid_config(pointer + "/path", cat({quoted(device.path), " is the top of the rootfs"}));
  return target;
}

Status plan_device(const spec::Device& device,
                   const std::string& pointer,
                   std::uint32_t flags,
                   plan::Builder& builder) {
  const std::string target = TRY(device_target(device, pointer));
  const std::uint32_t type = TRY(file_type(device, pointer));
  plan::DeviceNode step{.target = builder.text(target),
                        .mode = type | (device.file_mode.value_or(kDefaultMode) & ~std::uint32_t{S_IFMT}),
                        .uid = device.uid.value_or(0),
                        .gid = device.gid.value_or(0)};
  if (type != S_IFIFO) {  // a fifo has no numbers, and anybody may make one
    step.flags = flags;
    step.major = TRY(device_number(device.major, kMaxMajor, pointer + "/major"));
    step.minor = TRY(device_number(device.minor, kMaxMinor, pointer + "/minor"));
  }
  builder.add(pointer, step);
  return {};
}

}  // namespace

Status plan_devices(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder) {
  if (is_dev_from_host(spec)) return {};
  const bool may_not_mknod =
      has_namespace(spec, spec::NamespaceType::user) || !host.privileged || host.in_user_namespace;
  const std::uint32_t flags = may_not_mknod ? std::uint32_t{plan::kNodeBind} : 0U;

  builder.add("", plan::OpenDev{});
  for (const DefaultDevice& device : kDefaultDevices) {
    if (is_listed(spec, device.path)) continue;
    builder.add("", plan::DeviceNode{.target = builder.text(device.path),
                                     .mode = S_IFCHR | kDefaultMode,
                                     .flags = flags,
                                     .major = device.major,
                                     .minor = device.minor});
  }
  const std::vector<spec::Device>& devices = linux_of(spec).devices;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    TRY(plan_device(devices[i], item_pointer("/linux/devices", i), flags, builder));
  }
  for (const Link& link : kLinks) {
    builder.add("", plan::Symlink{.target = builder.text(link.path),
                                  .value = builder.text(link.value),
                                  .replace = link.replace ? 1U : 0U});
  }
  return {};
}

}  // namespace capsule::ns
