// Structs to JSON: what `spec`, `state`, `list`, `features` and the state directory print and keep. Only
// spec/ sees the JSON library.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::spec {

// config.json: read(write(s)) is equivalent to s. Members that are absent or empty are left out. Indented
// with tabs, as runc's `spec` does.
std::string write(const Spec& spec);

// The default configuration of `capsule spec`: as runc's, hostname "capsule", ociVersion "1.3.0".
Spec default_spec();
// The same for a user without privileges: a user namespace that maps the caller to root, no network
// namespace, /sys bound from the host, no resources.
Spec default_rootless_spec(std::uint32_t euid, std::uint32_t egid);

// The state of a container (runtime.md#state), with the members runc adds.
struct ContainerState {
  std::string oci_version;
  std::string id;
  std::int64_t pid = 0;  // 0: stopped; then left out in hooks' state, printed as 0 by `state` as runc does
  std::string status;
  std::string bundle;
  std::string rootfs;
  std::string created;  // RFC 3339; empty in hooks' state, then left out
  std::string owner;
  std::map<std::string, std::string> annotations;
};
// `state ID`: two-space indent, members in runc's order, newline at the end.
std::string write_state(const ContainerState& state);
// `list --format json`: one array on one line.
std::string write_state_list(const std::vector<ContainerState>& states);
// What a hook reads on its standard input: ociVersion, id, status, pid unless 0, bundle, root (as crun adds),
// annotations.
std::string write_hook_state(const ContainerState& state);

// `ps --format json`.
std::string write_pids(const std::vector<std::int64_t>& pids);

// The features document (features.md, features-linux.md), true for this build. `libseccomp_version` as the
// library reports it.
struct FeatureLists {
  std::vector<std::string> mount_options;
  std::vector<std::string> capabilities;
  std::vector<std::string> seccomp_actions, seccomp_operators, seccomp_archs, seccomp_known_flags,
      seccomp_supported_flags;
  std::string libseccomp_version;
  std::string version;
  std::string commit;
};
std::string write_features(const FeatureLists& features);

// The record that the state directory keeps about a container (state.json). Flat, so that people can read it
// and `jq` can too.
struct Record {
  std::string id;
  std::string bundle;
  std::string rootfs;
  std::string created;             // RFC 3339 with nanoseconds, UTC
  std::int64_t pid = 0;            // 0 until the container's first process exists
  std::uint64_t start_time = 0;    // of that process: /proc/PID/stat field 22; 0 where pidfd_inode tells it
  std::uint64_t pidfd_inode = 0;   // of that process's pidfds; 0: not known, or of no use after a reboot
  std::string cgroup_path;         // below the cgroup2 mount point: "/a/b"; empty: none
  std::string cgroup_mount;        // where the cgroup2 hierarchy was mounted: "/sys/fs/cgroup"
  std::string cgroup_manager;      // "cgroupfs", "systemd", "disabled"
  std::string systemd_unit;        // "capsule-c1.scope"; empty: systemd knows nothing of it
  std::string rdt_group;           // its group in resctrl, absolute; empty: none
  bool rdt_group_is_ours = false;  // made for it, and removed with it
  std::string rdt_monitor;         // its monitoring group there; empty: none
  bool own_pid_namespace = true;   // false: killing init does not kill the rest
  bool no_new_keyring = false;
  // Whether these commands must look into the frozen config.json: for hooks, or as there is no process.
  bool start_needs_config = true;
  bool delete_needs_config = true;
  std::uint32_t owner_uid = 0;
  std::map<std::string, std::string> annotations;
};
std::string write_record(const Record& record);
Result<Record> read_record(std::string_view json);

}  // namespace capsule::spec
