// One launch, from nothing to an init that is confined and waits at its gate. What `create` and `run` share.
#pragma once

#include <string>

#include "cgroups/cgroup.h"
#include "cgroups/rdt.h"
#include "namespaces/net_move.h"
#include "runtime/base/result.h"
#include "runtime/container/container.h"
#include "runtime/launch/bundle.h"
#include "runtime/launch/container_cgroup.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/pid_file.h"
#include "runtime/launch/plan_create.h"
#include "runtime/launch/poststop.h"
#include "runtime/launch/spawn.h"

namespace capsule::launch {

// Owners of everything a launch has made; each undoes itself unless kept. Order matters: the process goes
// before its cgroup, that before the record; and before network devices leave its namespace. Hooks come last
// of all.
struct Launched {
  Bundle bundle;
  PoststopOnFailure poststop;
  container::Record record;
  ContainerCgroup place;
  cgroups::RdtOwner rdt;
  ns::MovedNetDevices net_devices;
  InitProcess init;
  UniqueFd sync;
  UniqueFd console;  // our end of the console conversation when the terminal is ours
  PidFile pid_file;
  spec::Record data;

  void keep();
};

// Performs the plan up to `ready`: record, cgroup, init, its mounts and hooks, rlimits, the completed record,
// the pid file.
//   interrupts   open_interrupts(): a signal there ends it as a failure does, and nothing stays
Result<Launched> launch_init(const container::Store& store,
                             const LaunchOptions& options,
                             plan::GateMode gate,
                             FdRef interrupts);

// Init that dies without a word was mostly killed for memory: an error says so if the kernel counted it.
//   cgroup   a closed one (-1) tells nothing
Status explain_death(Status done, FdRef cgroup);

// A stream socketpair to carry a terminal's master from init to us.
Result<sys::SocketPair> make_console_pair();

}  // namespace capsule::launch
