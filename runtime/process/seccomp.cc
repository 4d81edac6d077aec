// linux.seccomp to a program for seccomp(2): what it asks for is checked here, and compiled by one of two
// compilers.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>

#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/process/enosys_prefix.h"
#include "runtime/process/plan.h"
#include "runtime/process/seccomp_assembly.h"
#include "runtime/process/seccomp_library.h"
#include "runtime/process/seccomp_names.h"
#include "runtime/process/seccomp_rules.h"
#include "runtime/process/seccomp_tables.h"

namespace capsule::process {
namespace {

// ---- notification

bool notifies(const SeccompProfile& profile) {
  const auto notify = [](const SeccompRule& rule) { return rule.action == SCMP_ACT_NOTIFY; };
  return std::any_of(profile.rules.begin(), profile.rules.end(), notify);
}

// Init hands the listener over while the filter is already at work: a call it needs for that would wait for
// an answer that nobody can give.
constexpr std::array<std::string_view, 2> kNeededToHandOver = {"write", "sendmsg"};

Status check_notification(const spec::Seccomp& seccomp, const SeccompProfile& profile) {
  if (profile.default_action == SCMP_ACT_NOTIFY) {
    return Error::invalid_config(cat({kSeccompField, "/defaultAction"}),
                                 "SCMP_ACT_NOTIFY cannot be the default action");
  }
  for (const SeccompRule& rule : profile.rules) {
    if (rule.action != SCMP_ACT_NOTIFY) continue;
    for (const std::string_view needed : kNeededToHandOver) {
      if (std::find(rule.names->begin(), rule.names->end(), needed) == rule.names->end()) continue;
      return Error::invalid_config(cat({rule.field, "/names"}),
                                   cat({"SCMP_ACT_NOTIFY cannot be used for ", needed}));
    }
  }
  const bool has_listener = !seccomp.listener_path.value_or("").empty();
  if (notifies(profile) && !has_listener) {
    return Error::invalid_config(cat({kSeccompField, "/listenerPath"}),
                                 "is required by rules with SCMP_ACT_NOTIFY");
  }
  if (!has_listener && !seccomp.listener_metadata.value_or("").empty()) {
    return Error::invalid_config(cat({kSeccompField, "/listenerMetadata"}),
                                 "means nothing without listenerPath");
  }
  return {};
}

Result<std::uint64_t> parse_flags(const spec::Seccomp& seccomp, bool with_listener) {
  std::uint64_t flags = 0;
  // Without this flag the kernel slows the whole process down against speculative store bypass, which few
  // profiles mean to ask for.
  if (!seccomp.flags.has_value()) flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const std::vector<std::string> names = seccomp.flags.value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::optional<std::uint64_t> flag = find_seccomp_flag(names[i]);
    if (!flag.has_value()) {
      return Error::invalid_config(pointer_to(kSeccompField, "flags", i),
                                   cat({"unknown seccomp flag ", quoted(names[i])}));
    }
    flags |= *flag;
  }
  if (with_listener) return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return flags & ~std::uint64_t{
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};  // EINVAL without a listener, and nobody waits
}

// What engines write for "unconfined".
bool says_nothing(const spec::Seccomp& seccomp) {
  return seccomp.default_action.empty() && seccomp.syscalls.empty();
}

// ---- instructions

// A profile that lets unknown calls through means it, and a tracer answers for itself (runc skips the same
// three).
bool lets_unknown_calls_through(std::uint32_t default_action) {
  const std::uint32_t kind = default_action & SECCOMP_RET_ACTION_FULL;
  return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
}

void log_unknown_names(const SeccompProfile& profile) {
  if (!log::is_enabled(log::Level::debug)) return;
  for (const SeccompRule& rule : profile.rules) {
    for (const std::string& name : *rule.names) {
      if (seccomp_syscall_resolve_name(name.c_str()) == __NR_SCMP_ERROR)
        log::debug(cat({rule.field, ": unknown system call ", quoted(name), " is skipped"}));
    }
  }
}

bool is_too_long(std::string_view program) {
  return program.size() / sizeof(sock_filter) > BPF_MAXINSNS;
}

Result<std::string> make_program(const SeccompProfile& profile) {
  log_unknown_names(profile);
  const bool has_prefix = !lets_unknown_calls_through(profile.default_action);
  const std::string prefix = has_prefix ? enosys_prefix(profile) : std::string();
  const std::optional<std::vector<SeccompTable>> tables = tabulate(profile);
  if (tables.has_value()) {
    std::string program = prefix + assemble(*tables, profile.default_action);
    if (!is_too_long(program)) return program;  // conditions that many calls share take libseccomp less room
  }
  return prefix + TRY(compile_by_library(profile));
}

}  // namespace

bool asks_for_filter(const std::optional<spec::Seccomp>& seccomp) {
  return seccomp.has_value() && !says_nothing(*seccomp);
}

bool has_listener(const std::optional<spec::Seccomp>& seccomp) {
  return seccomp.has_value() && !seccomp->listener_path.value_or("").empty();
}

bool may_be_sent(const std::optional<spec::Seccomp>& seccomp) {
  if (!asks_for_filter(seccomp) || has_listener(seccomp)) return false;
  const auto notifies = [](const spec::SyscallRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; };
  return std::none_of(seccomp->syscalls.begin(), seccomp->syscalls.end(), notifies);
}

Status check_seccomp(const spec::Seccomp& seccomp) {
  const SeccompProfile profile = TRY(parse_seccomp_profile(seccomp));
  TRY(check_notification(seccomp, profile));
  TRY(parse_flags(seccomp, notifies(profile)));
  return {};
}

Result<SeccompProgram> plan_seccomp(const spec::Seccomp& seccomp) {
  if (says_nothing(seccomp)) return SeccompProgram{};
  SeccompProfile profile = TRY(parse_seccomp_profile(seccomp));
  TRY(check_notification(seccomp, profile));
  find_numbers(profile);
  SeccompProgram program;
  program.notifies = notifies(profile);
  program.flags = TRY(parse_flags(seccomp, program.notifies));
  program.filter = TRY(make_program(profile));
  const std::size_t count = program.filter.size() / sizeof(sock_filter);
  if (count > BPF_MAXINSNS) {
    return Error::invalid_config(kSeccompField,
                                 cat({"the profile becomes ", std::to_string(count),
                                      " instructions, more than the 4096 that the kernel takes"}));
  }
  return program;
}

}  // namespace capsule::process
