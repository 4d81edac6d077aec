// From a bundle and what is known of the host to the plan of a launch. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroups/device_program.h"
#include "cgroups/facts.h"
#include "cgroups/plan.h"
#include "cgroups/rdt.h"
#include "cgroups/systemd.h"
#include "namespaces/plan.h"
#include "runtime/base/result.h"
#include "runtime/launch/bundle.h"
#include "runtime/launch/launch.h"
#include "runtime/plan/builder.h"
#include "runtime/process/plan.h"
#include "runtime/process/security_label.h"
#include "spec/write.h"

namespace capsule::launch {

// What is looked up once, before anything is decided.
struct Host {
  bool privileged = true;  // CAP_SYS_ADMIN in effect: mounts are cloned on the host side
  std::uint32_t euid = 0, egid = 0;
  bool in_user_namespace = false;  // before the container has one of its own: rootless engines call us there
  cgroups::Facts cgroups;
  cgroups::ManagerFacts systemd;  // looked up only if containers are to be its units
  std::uint32_t listen_fds =
      0;  // $LISTEN_FDS: descriptors of ours that the application is to have (sd_listen_fds(3))
  std::string
      notify_directory;   // of this container, on the host; empty: no service manager is to be notified
  cgroups::RdtFacts rdt;  // looked up only for whoever asks for RDT
  process::SecurityModules modules;  // looked up only for whoever asks for a label
  bool setgroups_denied = false;     // in the caller's user namespace; exec: or in the container's
};
// Not the machine's root: neither its devices nor its cgroups are this caller's.
inline bool is_ordinary(const Host& host) {
  return host.euid != 0 || host.in_user_namespace;
}
Result<Host> probe_host(const process::LabelsAsked& labels);
// The same for a whole bundle: with what its other fields need to know.
Result<Host> probe_host_for(const spec::Spec& spec, const LaunchOptions& options);

// How many descriptors, from 3 on, the application is to have: $LISTEN_FDS and --preserve-fds together.
//   fails   unsupported, if they are more than a process can have: their sum would wrap around, and what init
//   inherits would be taken for the application's
Result<std::uint32_t> count_preserved_fds(const Host& host, std::uint32_t preserve_fds);

struct CgroupPlan {
  std::string path;  // below the mount; empty: no cgroup
  std::vector<cgroups::Write> writes;
  std::vector<cgroups::Need> needs;
  cgroups::DeviceProgram devices;
  std::optional<cgroups::ScopePlan> scope;  // systemd makes it
};

struct CreatePlan {
  plan::Builder builder;
  ns::NamespaceSet namespaces;
  std::vector<ns::NetDeviceMove> net_devices;  // when init says namespaces_ready
  CgroupPlan cgroup;
  cgroups::RdtPlan rdt;
  std::vector<process::ResourceLimit> rlimits;
  std::string uid_map, gid_map;              // lines to write, if a new user namespace is made
  std::uint32_t root_uid = 0, root_gid = 0;  // what init becomes in it
  bool denies_setgroups = false;
  std::optional<std::uint16_t> console_slot;  // a terminal is asked for
  bool has_notify_socket = false;             // the notify directory is bound, and must exist
  bool filter_is_sent = false;                // compiled and sent while init is at work
};

// When a seccomp profile is compiled: with the plan, of which it is a part then, or beside init's work, where
// the profile allows that.
enum class FilterTime { planned, beside_init };

Result<CreatePlan> plan_create(const Bundle& bundle,
                               const LaunchOptions& options,
                               const Host& host,
                               plan::GateMode gate,
                               FilterTime filter = FilterTime::planned);

// The state document for hooks, as the runtime sees the container at `status`.
spec::ContainerState hook_state(const Bundle& bundle,
                                const std::string& id,
                                std::int64_t pid,
                                std::string_view status);

// A JSON document cut where its pid stands: init knows its number, we do not.
struct AroundPid {
  std::string before, after;
};
AroundPid split_at_pid(spec::ContainerState state);

// Appends a RunHook step for each hook that runs inside the container.
//   pending   what it is told, but for its pid
void plan_container_hooks(const std::vector<spec::Hook>& hooks,
                          std::string_view pointer,
                          spec::ContainerState pending,
                          const std::vector<std::string>& default_env,
                          plan::Builder& builder);

}  // namespace capsule::launch
