// What the container can see, decided: namespaces, network devices, mounts, devices, paths. Everything here
// is pure and appends steps to a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"

namespace capsule::ns {

// What planners must know of the host; probed by the launcher.
struct HostFacts {
  // CAP_SYS_ADMIN where the host's mounts are: the host side may clone them itself.
  bool privileged = true;
  bool in_user_namespace = false;  // the caller is, not only the container: root in one makes no devices
  std::uint32_t euid = 0;
  std::uint32_t egid = 0;
  std::string bundle;        // absolute; relative sources and root.path start here
  std::string cgroup_mount;  // "/sys/fs/cgroup"; empty: none
  std::string cgroup_path;   // of this container, below it; empty: none
  bool no_pivot = false;
  bool joins = false;  // the container lives, and init has left the host's tree when it mounts: `mounts add`
};

// ---- namespaces (config-linux.md#namespaces)

struct NamespaceSet {
  // For clone3: the new ones, except cgroup (rooted at the caller's cgroup, so unshared inside) and time.
  std::uint64_t clone_flags = 0;
  // For init, after joining: cgroup; and all new ones but pid if a user namespace is joined by path.
  std::uint64_t unshare_flags = 0;
  // For ForkInit: pid if a user namespace is joined by path; all new ones if the user namespace is new and
  // others are joined by path, which is impossible from inside it. Then the id maps are not written at the
  // clone, but to the forked process when it expects `maps_written`.
  std::uint64_t fork_flags = 0;
  bool new_time = false;
  bool has_user = false;  // new or joined
  bool new_user = false;
  bool has_pid = false;  // new or joined
  bool new_network = false;
  bool has_mount = false;
  // Joined by the host side with setns before the clone: pid namespaces hold children only. Empty: none.
  std::string pid_path;
  struct Join {
    spec::NamespaceType type;
    std::uint64_t clone_flag;
    std::string path;
    std::string field;
  };
  std::vector<Join> joins;  // for init, in joining order; never pid unless `pid_path` cannot be used
  // The plan has a ForkInit. Its flags may be 0: having joined a pid namespace, only a child is inside.
  [[nodiscard]] bool forks() const;
};
//   privileged  HostFacts::privileged: root may join anything until it enters a user namespace, so it enters
//               one last; anybody else may join only what belongs to that user namespace, and enters it first
//   fails       invalid_config: duplicate type, path not absolute, user mappings without a user namespace, …
//               (what spec::validate has not already refused)
Result<NamespaceSet> plan_namespaces(const spec::Spec& spec, bool privileged = false);
// CLONE_NEW* that a thread of the host side may make before anything is checked or planned: 0 unless a new
// network or new mounts are among them, which alone are worth a thread; nor if they belong to a user
// namespace, or if a pid namespace is joined for the clone.
std::uint64_t flags_made_ahead(const std::vector<spec::Namespace>& listed);
std::uint64_t clone_flag_of(spec::NamespaceType type);
std::string_view name_of(spec::NamespaceType type);       // "network"
std::string_view proc_name_of(spec::NamespaceType type);  // "net": the entry of /proc/PID/ns

// Appends JoinNamespace (donating each), BecomeRoot, NewTimeNamespace, Unshare, ForkInit as the
// set asks.
void plan_namespace_steps(const NamespaceSet& set, const spec::Spec& spec, plan::Builder& builder);

// LoopbackUp of a new network. After the mounts, and before a hook could look for it: where a thread made the
// network ahead, it has set the device up meanwhile.
void plan_loopback(const NamespaceSet& set, plan::Builder& builder);

// ---- network devices (config-linux.md#network-devices)

struct NetDeviceMove {
  std::string host_name;
  std::string name;   // inside; may hold a "%d", which the kernel replaces by a free number
  std::string field;  // "/linux/netDevices/eth0"
};
//   fails   unsupported: the caller has no privileges
Result<std::vector<NetDeviceMove>> plan_net_devices(const spec::Spec& spec, const HostFacts& host);
// The pause in which the host side moves them, right after the namespaces' steps; none if there are none.
void plan_net_device_steps(const std::vector<NetDeviceMove>& moves, plan::Builder& builder);

// ---- id maps (user_namespaces(7))

// Lines for /proc/PID/uid_map: "0 100000 65536\n…".
std::string describe_id_map(const std::vector<spec::IdMapping>& mappings);
bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t container_id);
// The host's id for one of the container's; nullopt if unmapped.
std::optional<std::uint32_t> host_id(const std::vector<spec::IdMapping>& mappings,
                                     std::uint32_t container_id);
// The other way: what /proc/PID/uid_map shows. nullopt: not a map.
std::optional<std::vector<spec::IdMapping>> parse_id_map(std::string_view lines);
// Whether two maps mean the same, in whatever order and pieces they are written.
bool is_same_map(std::vector<spec::IdMapping> one, std::vector<spec::IdMapping> other);

// ---- subordinate ids (subuid(5))

struct IdRange {
  std::uint32_t first = 0, size = 0;
};
constexpr std::size_t kMostRanges = 340;  // of one map: user_namespaces(7)
// The ranges that `text` (/etc/subuid or /etc/subgid) gives to a user, by name ("": unknown) or by number. A
// line that is not exactly name:first:count gives nothing.
std::vector<IdRange> parse_subordinate_ids(std::string_view text, std::string_view user, std::uint32_t uid);
// Container root is the user itself, and 1 and up are its subordinate ids.
std::vector<spec::IdMapping> automatic_map(std::uint32_t own_id, const std::vector<IdRange>& ranges);

// ---- mounts, devices, paths: the order in which the launcher calls them is the order of the steps

// PrepareRoot, donating the rootfs when privileged.
Status plan_root(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// One step for each entry of /mounts, in order.
Status plan_mounts(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// One more mount, which config.json does not ask for; `reason` is what errors name instead of a field.
Status plan_extra_mount(const spec::Spec& spec,
                        const HostFacts& host,
                        const spec::Mount& mount,
                        std::string reason,
                        plan::Builder& builder);
// The same for a container that lives: each says `mounted` when it is there.
Status plan_added_mounts(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// OpenDev, DeviceNode and Symlink steps: default devices, /linux/devices, /dev/ptmx and links; none if /dev
// is bound from the host.
Status plan_devices(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// MakeReadonly, Mask, MakeCwd, then SetAttributes for each tmpfs that becomes read-only once it is filled,
// and for a read-only root: all that comes after the last mount and the last thing created in the tree
// (/dev/console!), and before Pivot.
Status plan_paths(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// Unmount, for one entry of /mounts after another from the last to the first.
Status plan_unmounts(const spec::Spec& spec, plan::Builder& builder);
// Pivot, and the propagation of "/" after it where rootfsPropagation asks for one.
Status plan_pivot(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder);
// Hostname, Domainname, Sysctl (config-linux.md#sysctl). Which of them may be set at all is for
// spec::validate;
//   fails   invalid_config: a name that would lead out of /proc/sys
Status plan_kernel_parameters(const spec::Spec& spec, plan::Builder& builder);

// Every name that config.md's mount options table and our extensions know: what `features` prints, sorted.
std::vector<std::string> known_mount_options();

}  // namespace capsule::ns
