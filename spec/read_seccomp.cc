// `linux.seccomp`: config-linux.md#seccomp.
#include "spec/read_parts.h"

namespace capsule::spec {
namespace {

Result<SyscallArg> parse_syscall_arg(const Cursor& at) {
  SyscallArg arg;
  arg.index = TRY(at.required<std::uint32_t>("index"));
  arg.value = TRY(at.required<std::uint64_t>("value"));
  arg.value_two = TRY(at.value_or("valueTwo", std::uint64_t{0}));
  arg.op = TRY(at.required<std::string>("op"));
  return arg;
}

Result<SyscallRule> parse_syscall_rule(const Cursor& at) {
  SyscallRule rule;
  rule.names = TRY(at.values<std::string>("names"));
  rule.action = TRY(at.required<std::string>("action"));
  rule.errno_ret = TRY(at.optional<std::uint32_t>("errnoRet"));
  rule.args = TRY(at.objects("args", parse_syscall_arg));
  return rule;
}

}  // namespace

Result<Seccomp> parse_seccomp(const Cursor& at) {
  Seccomp seccomp;
  seccomp.default_action = TRY(at.value_or("defaultAction", std::string()));  // absent: validate decides
  seccomp.default_errno_ret = TRY(at.optional<std::uint32_t>("defaultErrnoRet"));
  seccomp.architectures = TRY(at.values<std::string>("architectures"));
  seccomp.flags = TRY(at.optional_values<std::string>("flags"));
  seccomp.listener_path = TRY(at.text("listenerPath"));
  seccomp.listener_metadata = TRY(at.text("listenerMetadata"));
  seccomp.syscalls = TRY(at.objects("syscalls", parse_syscall_rule));
  return seccomp;
}

}  // namespace capsule::spec
