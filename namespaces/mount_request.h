// One entry of /mounts on its way to a step: shared by the planners of file systems, binds and cgroup views.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "namespaces/mount_options.h"
#include "namespaces/plan.h"
#include "namespaces/propagation.h"

namespace capsule::ns {

struct MountRequest {
  const spec::Mount& mount;
  std::size_t index = 0;  // in /mounts
  std::string pointer;    // "/mounts/3"
  std::string target;     // clean
  MountOptions options;

  [[nodiscard]] std::string_view type() const {
    return mount.type.has_value() ? std::string_view(*mount.type) : "";
  }
  [[nodiscard]] bool is_bind() const { return options.bind || type() == "bind"; }
  [[nodiscard]] bool is_cgroup() const { return !is_bind() && (type() == "cgroup" || type() == "cgroup2"); }
  [[nodiscard]] bool wants_id_maps() const {
    return options.idmap || !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  }
  [[nodiscard]] bool is_tmpfs() const { return !is_bind() && !options.remount && type() == "tmpfs"; }
};

struct MountContext {
  const spec::Spec& spec;
  const HostFacts& host;
  std::uint64_t bind_propagation = 0;
};

// Lexical only, cannot fail: what is wrong with the mount is found while it is planned.
MountRequest read_mount(const spec::Spec& spec, std::size_t index);

// kMount* for the way the target is reached. Only some things may lie on or below /proc and /sys (R6).
Result<std::uint32_t> target_flags(const MountRequest& request);

// True if a tmpfs has to be writable until its content is made: then plan_paths makes it read-only.
bool becomes_readonly_late(const spec::Spec& spec, const MountRequest& request);

// A bind has no file system of its own that data could be for.
Status refuse_bind_data(const MountRequest& request);

// SetAttributes for each of those.
void plan_late_readonly(const spec::Spec& spec, plan::Builder& builder);

Status plan_bind(const MountContext& context, const MountRequest& request, plan::Builder& builder);
Status plan_filesystem(const MountContext& context, const MountRequest& request, plan::Builder& builder);
Status plan_cgroup_view(const MountContext& context, const MountRequest& request, plan::Builder& builder);

// A bind of something on the host, donated if the host side may clone it. Only then can `maps` be used.
struct IdMaps {
  std::string uids, gids;  // lines for uid_map and gid_map; empty: not id-mapped
  bool recursive = false;
};
struct BindSource {
  std::string path;
  std::uint32_t flags = 0;  // kMount*
  plan::MountAttributes attributes;
  IdMaps maps;
};
Status add_bind(const MountContext& context,
                const MountRequest& request,
                BindSource source,
                plan::Builder& builder);

// The maps of an id-mapped mount, or empty ones.
//   fails   invalid_config: a type that is never mapped, half a mapping, malformed option; unsupported: not
//   privileged
Result<IdMaps> plan_id_maps(const MountContext& context, const MountRequest& request);

}  // namespace capsule::ns
