// The step that installs the seccomp filter, and the message that goes with its listener.
#include "runtime/base/text.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

constexpr std::string_view kField = "/linux/seccomp";
constexpr char kPidAgain = '\x01';  // plan::Seccomp::listener_after_pid; JSON has no raw control characters

// A container process state (config-linux.md#containerprocessstate) has the pid twice: the state's, and its
// own.
void add_listener(const spec::Seccomp& seccomp,
                  const ProcessContext& context,
                  plan::Seccomp& step,
                  plan::Builder& builder) {
  const std::string metadata = seccomp.listener_metadata.value_or("");
  const std::string metadata_member =
      metadata.empty() ? "" : cat({R"("metadata":)", json_string(metadata), ","});
  step.listener_slot = builder.donate({.kind = plan::Donation::Kind::seccomp_listener,
                                       .source = seccomp.listener_path.value_or(""),
                                       .field = cat({kField, "/listenerPath"})});
  step.listener_before_pid =
      builder.text(cat({R"({"ociVersion":"1.3.0","fds":["seccompFd"],)", metadata_member, R"("state":)",
                        context.container_state_before_pid}));
  step.listener_after_pid = builder.text(
      cat({context.container_state_after_pid, R"(,"pid":)", std::string_view(&kPidAgain, 1), "}"}));
}

}  // namespace

Status plan_filter(const ProcessContext& context, plan::Builder& builder) {
  if (context.seccomp == nullptr || !context.seccomp->has_value()) return {};
  const spec::Seccomp& seccomp = **context.seccomp;
  const SeccompProgram program = TRY(plan_seccomp(seccomp));
  if (program.filter.empty()) return {};

  plan::Seccomp step;
  step.program = builder.blob(program.filter.data(), program.filter.size());
  step.flags = program.flags;
  if (program.notifies) add_listener(seccomp, context, step, builder);
  builder.add(kField, step);
  return {};
}

}  // namespace capsule::process
