// The step that installs the seccomp filter, and the message that goes with its listener.
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstring>

#include "runtime/base/text.h"
#include "runtime/plan/protocol.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

constexpr std::string_view kField = "/linux/seccomp";

// The container process state of config-linux.md#containerprocessstate.
std::string listener_message(const spec::Seccomp& seccomp, const ProcessContext& context) {
  const std::string metadata = seccomp.listener_metadata.value_or("");
  const std::string metadata_member =
      metadata.empty() ? "" : cat({R"("metadata":)", json_string(metadata), ","});
  return cat({R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":)", std::string_view(&plan::kPidMark, 1),
              ",", metadata_member, R"("state":)", context.container_state, "}"});
}

void add_listener(const spec::Seccomp& seccomp,
                  const ProcessContext& context,
                  plan::Seccomp& step,
                  plan::Builder& builder) {
  step.listener_slot = builder.donate({.kind = plan::Donation::Kind::seccomp_listener,
                                       .source = seccomp.listener_path.value_or(""),
                                       .field = cat({kField, "/listenerPath"})});
  step.listener_message = builder.text(listener_message(seccomp, context));
}

Result<SeccompProgram> program_of(const spec::Seccomp& seccomp, const ProcessContext& context) {
  if (context.program != nullptr && context.program->has_value()) return SeccompProgram(**context.program);
  return plan_seccomp(seccomp);
}

}  // namespace

std::string encode_program(std::uint64_t flags, std::string_view filter) {
  std::string kept(sizeof(flags), '\0');
  std::memcpy(kept.data(), &flags, sizeof(flags));
  return kept.append(filter);
}

std::optional<SeccompProgram> decode_program(std::string_view kept) {
  SeccompProgram program;
  if (kept.size() <= sizeof(program.flags)) return std::nullopt;
  std::memcpy(&program.flags, kept.data(), sizeof(program.flags));
  program.filter = kept.substr(sizeof(program.flags));
  const std::size_t count = program.filter.size() / sizeof(sock_filter);
  if (count > BPF_MAXINSNS || count * sizeof(sock_filter) != program.filter.size()) return std::nullopt;
  program.notifies = (program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  return program;
}

void await_filter(const ProcessContext& context, plan::Builder& builder) {
  if (!context.filter_is_sent) return;
  builder.add(kField, plan::Expect{.line = static_cast<std::uint64_t>(protocol::Line::filter)});
}

Status plan_filter(const ProcessContext& context, plan::Builder& builder) {
  if (context.filter_is_sent) {
    builder.add(kField, plan::Seccomp{});
    return {};
  }
  if (context.seccomp == nullptr || !context.seccomp->has_value()) return {};
  const spec::Seccomp& seccomp = **context.seccomp;
  const SeccompProgram program = TRY(program_of(seccomp, context));
  if (program.filter.empty()) return {};

  plan::Seccomp step;
  step.program = builder.blob(program.filter.data(), program.filter.size());
  step.flags = program.flags;
  if (program.notifies) add_listener(seccomp, context, step, builder);
  builder.add(kField, step);
  return {};
}

}  // namespace capsule::process
