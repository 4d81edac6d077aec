// From an existing container and what `exec` was told to the plan of one more process inside. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/plan_create.h"
#include "runtime/launch/plan_joins.h"
#include "runtime/plan/builder.h"
#include "runtime/process/plan.h"
#include "spec/spec.h"

namespace capsule::launch {

struct ExecPlan {
  plan::Builder builder = plan::Builder(plan::Builder::kOfProcess);
  Joins joins;
  std::optional<std::uint16_t> console_slot;
  spec::User user;
  std::vector<process::ResourceLimit> rlimits;  // what is ours to set
  // Init says `ready` and waits for us; else it finds `start` in its socket when it is done.
  bool waits = false;
  std::optional<std::int32_t> oom_score_adj;
  std::vector<unsigned long> initial_cpus;  // bit mask; empty: ours
};

// The process that `options` describe: the process file's, or the container's own with the changes asked for.
//   file   content of --process, if given
//   fails  runc's words: "process property must not be empty", "exec args cannot be empty", …
Result<spec::Process> plan_exec_process(const spec::Spec& frozen,
                                        const ExecOptions& options,
                                        const std::optional<std::string>& file);

//   kept   the filter compiled for the container; nullopt: it has no profile, or its rules are still in
//          `frozen`
Result<ExecPlan> plan_exec(const spec::Spec& frozen,
                           const spec::Process& process,
                           const ExecOptions& options,
                           const spec::ContainerState& state,
                           const Host& host,
                           bool new_keyring,
                           const std::optional<process::SeccompProgram>& kept);

// The container's cgroup did not take the process: with controllers enabled for its children it may hold none
// itself (EBUSY), below a threaded one it is no domain (EOPNOTSUPP). Then exec follows init, which a manager
// inside has moved to where processes may be; but never away from where --cgroup says.
bool may_join_cgroup_of_init(int err, const ExecOptions& options);

}  // namespace capsule::launch
