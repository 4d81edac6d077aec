// What the container may do: names in config.json to the kernel's numbers. Pure; appends steps to a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"

namespace capsule::process {

// ---- capabilities (capabilities(7))

struct CapabilitySets {
  std::uint64_t bounding = 0;
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t ambient = 0;
};
// Absent capabilities: every set is empty (the specification is silent; keeping root's full sets would
// surprise). An unknown name is a sentence in `warnings`, not an error, and left out; so is what the kernel
// would not grant: effective but not permitted, inheritable but not bounding, ambient but not both permitted
// and inheritable.
CapabilitySets plan_capabilities(const std::optional<spec::Capabilities>& capabilities,
                                 std::vector<std::string>& warnings);
std::vector<std::string> known_capabilities();  // "CAP_CHOWN", … all that this build knows

// ---- signals, rlimits

// "9", "KILL", "SIGKILL", "kill", "RTMIN+3", "34". nullopt: unknown.
std::optional<int> parse_signal(std::string_view text);
// "SIGTERM"; "SIG34" for a real-time signal.
std::string describe_signal(int signal);

struct ResourceLimit {
  int resource;
  std::uint64_t soft, hard;
  std::string field;  // "/process/rlimits/0"
};
// Set by init itself, before its filter and before it gives up its rights; those of a container with a user
// namespace, in which nobody may raise one, by the launcher once init says `ready`.
Result<std::vector<ResourceLimit>> plan_rlimits(const std::vector<spec::Rlimit>& rlimits);

// ---- seccomp

// libseccomp's program for the profile, as struct sock_filter[], and the flags for seccomp(2). A profile that
// says nothing (no default action, no rules) gives an empty filter: install none.
//   fails   invalid_config with a pointer below /linux/seccomp: unknown action, architecture, operator, flag;
//   errnoRet where it means nothing
struct SeccompProgram {
  std::string filter;  // bytes of struct sock_filter[]
  std::uint64_t flags = 0;
  bool notifies = false;
};
Result<SeccompProgram> plan_seccomp(const spec::Seccomp& seccomp);

// Whether there is anything to install: a profile, and one that says something.
bool asks_for_filter(const std::optional<spec::Seccomp>& seccomp);
// Whether somebody is to be told of calls, and of the container that makes them.
bool has_listener(const std::optional<spec::Seccomp>& seccomp);
// Whether the launcher may compile it while init is at work, and send it: there is one, and it notifies
// nobody (its listener would have to be opened before init is there).
bool may_be_sent(const std::optional<spec::Seccomp>& seccomp);
// What can be said of such a profile before it is compiled: all that plan_seccomp() says, but that it becomes
// too long.
Status check_seccomp(const spec::Seccomp& seccomp);

// As a container keeps it for `exec`, which need not compile it again: the flags, 8 bytes, then the filter.
std::string encode_program(std::uint64_t flags, std::string_view filter);
std::optional<SeccompProgram> decode_program(
    std::string_view kept);  // nullopt: not what encode_program() writes

// ---- the process as steps

struct ProcessContext {
  bool in_user_namespace = false;  // new or joined
  bool may_set_groups = true;
  std::vector<std::string> extra_env;  // LISTEN_FDS=…, added after the configured environment
  const std::optional<spec::Seccomp>* seccomp = nullptr;
  const std::optional<SeccompProgram>* program = nullptr;  // of that profile, if it is known already
  bool filter_is_sent = false;                             // the steps await it, see may_be_sent()
  std::string_view pointer = "/process";  // where the process lies in the document; "" for a process file
  std::string container_state;  // for the message to the listener, if there is one; plan::kPidMark is the
                                // process's own pid
};

// The environment init will pass: duplicates removed (the last wins, in its first place's order), extra_env
// appended, an empty HOME left out.
std::vector<std::string> plan_environment(const spec::Process& process,
                                          const std::vector<std::string>& extra_env);

// Appended after Pivot, in this order (R12, R17): Stdio, Personality, Scheduler, IoPriority, MemoryPolicy,
// [no user namespace: ResourceLimit], [no_new_privileges false: Seccomp], ChangeDirectory with retry,
// Confine, ChangeDirectory, NoNewPrivileges, FindExecutable. A filter that is sent is awaited before Seccomp,
// with no_new_privileges last of all. Capabilities left out are warnings in the log.
//   fails   invalid_config below context.pointer or /linux
Status plan_confinement(const spec::Process& process,
                        const spec::Linux* linux,
                        const ProcessContext& context,
                        plan::Builder& builder);

// Appended after the gate and the startContainer hooks: [no_new_privileges true: Seccomp], Exec.
Status plan_exec(const spec::Process& process, const ProcessContext& context, plan::Builder& builder);

// "0-3,7" to a bit mask of unsigned longs (cpuset(7) list format); invalid_config with `field` if malformed.
Result<std::vector<unsigned long>> parse_bit_list(std::string_view list, std::string_view field);

// Fills the process-related lists of the features document.
struct SeccompNames {
  std::vector<std::string> actions, operators, archs, known_flags;
  std::string library_version;
};
SeccompNames known_seccomp_names();
std::vector<std::string> probe_seccomp_flags();  // those of known_flags that this kernel takes

}  // namespace capsule::process
