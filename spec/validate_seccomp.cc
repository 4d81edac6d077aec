#include <algorithm>
#include <array>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::string_view kNotify = "SCMP_ACT_NOTIFY";
constexpr std::uint32_t kLastSyscallArgument = 5;

constexpr std::array<std::string_view, 9> kActions = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",        "SCMP_ACT_LOG",         kNotify,
};
constexpr std::array<std::string_view, 7> kOperators = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
};
constexpr auto kArchitectures = std::to_array<FixedText<21>>({
    "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB",
});
constexpr std::array<std::string_view, 4> kFlags = {
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
};

//   known   an array of texts
template <class Names>
Status check_names(const std::vector<std::string>& names,
                   const Names& known,
                   std::string_view pointer,
                   std::string_view what) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!contains(known, names[i])) {
      return Error::invalid_config(pointer_to(pointer, i),
                                   cat({"unknown seccomp ", what, " ", quoted(names[i])}));
    }
  }
  return {};
}

struct Action {
  std::string_view name;
  bool has_errno;
  std::string action_pointer, errno_pointer;
};

Status check_action(const Action& action) {
  if (!contains(kActions, action.name)) {
    return Error::invalid_config(action.action_pointer,
                                 cat({"unknown seccomp action ", quoted(action.name)}));
  }
  if (!action.has_errno || action.name == "SCMP_ACT_ERRNO" || action.name == "SCMP_ACT_TRACE") return {};
  return Error::invalid_config(
      action.errno_pointer,
      cat({"has a meaning only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not with ", action.name}));
}

Status check_args(const SyscallRule& rule, const std::string& pointer) {
  for (std::size_t i = 0; i < rule.args.size(); ++i) {
    if (rule.args[i].index > kLastSyscallArgument) {
      return Error::invalid_config(pointer_to(pointer, i, "index"), "must be between 0 and 5");
    }
    if (contains(kOperators, rule.args[i].op)) continue;
    return Error::invalid_config(pointer_to(pointer, i, "op"),
                                 cat({"unknown seccomp operator ", quoted(rule.args[i].op)}));
  }
  return {};
}

Status check_rule(const SyscallRule& rule, const std::string& pointer) {
  if (rule.names.empty())
    return Error::invalid_config(pointer + "/names", "must name at least one system call");
  TRY(check_action({rule.action, rule.errno_ret.has_value(), pointer + "/action", pointer + "/errnoRet"}));
  return check_args(rule, pointer + "/args");
}

bool notifies(const Seccomp& seccomp) {
  return seccomp.default_action == kNotify ||
         std::any_of(seccomp.syscalls.begin(), seccomp.syscalls.end(),
                     [](const SyscallRule& rule) { return rule.action == kNotify; });
}

Status check_listener(const Seccomp& seccomp) {
  if (seccomp.listener_path.has_value()) return {};
  if (notifies(seccomp)) {
    return Error::invalid_config("/linux/seccomp/listenerPath",
                                 "is required, because SCMP_ACT_NOTIFY is used");
  }
  if (!seccomp.listener_metadata.has_value()) return {};
  return Error::invalid_config("/linux/seccomp/listenerMetadata", "must not be set without listenerPath");
}

}  // namespace

Status check_seccomp(const Seccomp& seccomp) {
  if (seccomp.default_action.empty())
    return Error::invalid_config("/linux/seccomp/defaultAction", "is required");
  TRY(check_action({seccomp.default_action, seccomp.default_errno_ret.has_value(),
                    "/linux/seccomp/defaultAction", "/linux/seccomp/defaultErrnoRet"}));
  TRY(check_names(seccomp.architectures, kArchitectures, "/linux/seccomp/architectures", "architecture"));
  if (seccomp.flags.has_value()) TRY(check_names(*seccomp.flags, kFlags, "/linux/seccomp/flags", "flag"));
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    TRY(check_rule(seccomp.syscalls[i], pointer_to("/linux/seccomp/syscalls", i)));
  }
  return check_listener(seccomp);
}

}  // namespace capsule::spec
