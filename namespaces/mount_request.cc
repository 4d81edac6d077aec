#include "namespaces/mount_request.h"

#include <algorithm>
#include <array>

#include "namespaces/lexical.h"
#include "runtime/base/fixed_text.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// What may be bound below /proc: what lxcfs provides, and two files that runc has let through since before
// there was a rule. Anything else there could stand in for a file that decides about confinement
// (CVE-2019-16884, CVE-2019-19921).
constexpr auto kAllowedBelowProc = std::to_array<FixedText<29>>({
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
});

Result<std::uint32_t> flags_below_proc(const MountRequest& request) {
  const bool allowed = std::find(kAllowedBelowProc.begin(), kAllowedBelowProc.end(), request.target) !=
                       kAllowedBelowProc.end();
  if (allowed && request.is_bind()) return std::uint32_t{plan::kMountAllowBelowProc};
  return Error::invalid_config(
      request.pointer, cat({quoted(request.target), " cannot be mounted because it is inside /proc"}));
}

bool is_pseudo_root(const MountRequest& request) {
  const bool by_type = !request.is_bind() && (request.type() == "proc" || request.type() == "sysfs");
  return by_type || request.target == "/proc" || request.target == "/sys";
}

}  // namespace

MountRequest read_mount(const spec::Spec& spec, std::size_t index) {
  const spec::Mount& mount = spec.mounts[index];
  return MountRequest{.mount = mount,
                      .index = index,
                      .pointer = item_pointer("/mounts", index),
                      .target = clean_path(mount.destination),
                      .options = parse_mount_options(mount.options)};
}

Result<std::uint32_t> target_flags(const MountRequest& request) {
  std::uint32_t flags = plan::kMountCreateTarget;
  if (request.options.dest_nofollow) flags |= plan::kMountDestNofollow;
  if (is_pseudo_root(request)) flags |= plan::kMountNoSymlinks;
  if (is_below(request.target, "/proc")) flags |= TRY(flags_below_proc(request));

  // A bind of a whole procfs is fine as well: whether the source is one can only be seen when it is open, so
  // init looks.
  if (request.target == "/proc" && !request.is_bind() && request.type() != "proc") {
    return Error::invalid_config(request.pointer,
                                 "\"/proc\" cannot be mounted because it is not of type proc");
  }
  return flags;
}

bool becomes_readonly_late(const spec::Spec& spec, const MountRequest& request) {
  const plan::MountAttributes& attributes = request.options.attributes;
  const bool top_writable = (attributes.clear & MOUNT_ATTR_RDONLY) != 0;
  const bool readonly = (attributes.set & MOUNT_ATTR_RDONLY) != 0 ||
                        ((attributes.recursive_set & MOUNT_ATTR_RDONLY) != 0 && !top_writable);
  if (!request.is_tmpfs() || !readonly) return false;

  // A mount that covers this one is what the path would name in the end: then there is nothing left to fill,
  // and nothing to wait for.
  for (std::size_t later = request.index + 1; later < spec.mounts.size(); ++later) {
    const std::string target = clean_path(spec.mounts[later].destination);
    if (target == request.target || is_below(request.target, target)) return false;
  }
  return true;
}

}  // namespace capsule::ns
