// linux.seccomp to a program for seccomp(2): names to numbers here, numbers to instructions by libseccomp.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/process/enosys_prefix.h"
#include "runtime/process/plan.h"
#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

constexpr std::string_view kField = "/linux/seccomp";
constexpr std::size_t kArgumentCount = 6;
constexpr std::size_t kFewRules = 32;  // up to here a chain of comparisons is as good as a tree

// Level 6 of libseccomp's API has everything used here (Linux 5.7). Set rather than probed, so that the same
// profile gives the same program on every host; what a kernel lacks it says itself when init installs the
// program.
constexpr unsigned kApiLevel = 6;

using Condition = std::vector<scmp_arg_cmp>;  // all comparisons hold

struct Rule {
  const std::vector<std::string>* names;
  std::uint32_t action;
  std::vector<Condition> conditions;  // one of them holds; never empty, the empty condition always holds
  std::string field;
};

struct Profile {
  std::uint32_t default_action;
  std::vector<std::uint32_t> architectures;
  std::vector<Rule> rules;
};

std::string at(std::string_view field, std::string_view member, std::size_t index) {
  return cat({field, "/", member, "/", std::to_string(index)});
}

// ---- names to numbers

struct ActionField {
  const std::string& name;
  const std::optional<std::uint32_t>& errno_ret;
  std::string_view object, action_member, errno_member;
};

Result<std::uint32_t> parse_action(const ActionField& field) {
  const std::optional<SeccompAction> action = find_seccomp_action(field.name);
  if (!action.has_value()) {
    return Error::invalid_config(cat({field.object, "/", field.action_member}),
                                 cat({"unknown seccomp action ", quoted(field.name)}));
  }
  const std::string errno_field = cat({field.object, "/", field.errno_member});
  if (action->highest_data == 0) {
    if (field.errno_ret.has_value())
      return Error::invalid_config(errno_field, cat({field.name, " takes no errno value"}));
    return action->code;
  }
  const std::uint32_t data = field.errno_ret.value_or(EPERM);
  if (data > action->highest_data) {
    return Error::invalid_config(
        errno_field, cat({field.name, " takes values up to ", std::to_string(action->highest_data)}));
  }
  return action->code | data;
}

Result<std::vector<std::uint32_t>> parse_architectures(const std::vector<std::string>& names) {
  std::vector<std::uint32_t> tokens{
      seccomp_arch_native()};  // listed or not: init itself runs under the filter
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::uint32_t token = TRY(parse_seccomp_architecture(names[i], at(kField, "architectures", i)));
    if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
  }
  return tokens;
}

Result<scmp_arg_cmp> parse_comparison(const spec::SyscallArg& arg, std::string_view field) {
  if (arg.index >= kArgumentCount) {
    return Error::invalid_config(cat({field, "/index"}), "system calls have six arguments, 0 to 5");
  }
  const std::optional<int> op = find_seccomp_operator(arg.op);
  if (!op.has_value())
    return Error::invalid_config(cat({field, "/op"}), cat({"unknown seccomp operator ", quoted(arg.op)}));
  // For MASKED_EQ, value is the mask and valueTwo what must remain.
  return scmp_arg_cmp{arg.index, static_cast<scmp_compare>(*op), arg.value, arg.value_two};
}

bool has_repeated_argument(const Condition& condition) {
  std::array<unsigned, kArgumentCount> count{};
  for (const scmp_arg_cmp& comparison : condition)
    ++count.at(comparison.arg);
  return std::any_of(count.begin(), count.end(), [](unsigned n) { return n > 1; });
}

// Comparisons of different arguments must all hold. libseccomp cannot say that of one argument twice; then,
// as in runc, any of them will do.
Result<std::vector<Condition>> parse_conditions(const std::vector<spec::SyscallArg>& args,
                                                std::string_view field) {
  Condition all;
  for (std::size_t i = 0; i < args.size(); ++i)
    all.push_back(TRY(parse_comparison(args[i], at(field, "args", i))));
  if (!has_repeated_argument(all)) return std::vector<Condition>{all};
  std::vector<Condition> any;
  for (const scmp_arg_cmp& comparison : all)
    any.push_back({comparison});
  return any;
}

Result<Rule> parse_rule(const spec::SyscallRule& rule, std::string field) {
  const std::uint32_t action = TRY(parse_action({rule.action, rule.errno_ret, field, "action", "errnoRet"}));
  std::vector<Condition> conditions = TRY(parse_conditions(rule.args, field));
  return Rule{&rule.names, action, std::move(conditions), std::move(field)};
}

Result<Profile> parse_profile(const spec::Seccomp& seccomp) {
  Profile profile;
  profile.default_action = TRY(parse_action(
      {seccomp.default_action, seccomp.default_errno_ret, kField, "defaultAction", "defaultErrnoRet"}));
  profile.architectures = TRY(parse_architectures(seccomp.architectures));
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    profile.rules.push_back(TRY(parse_rule(seccomp.syscalls[i], at(kField, "syscalls", i))));
  }
  return profile;
}

// ---- notification

bool notifies(const Profile& profile) {
  const auto notify = [](const Rule& rule) { return rule.action == SCMP_ACT_NOTIFY; };
  return std::any_of(profile.rules.begin(), profile.rules.end(), notify);
}

// Init hands the listener over while the filter is already at work: a call it needs for that would wait for
// an answer that nobody can give.
constexpr std::array<std::string_view, 2> kNeededToHandOver = {"write", "sendmsg"};

Status check_notification(const spec::Seccomp& seccomp, const Profile& profile) {
  if (profile.default_action == SCMP_ACT_NOTIFY) {
    return Error::invalid_config(cat({kField, "/defaultAction"}),
                                 "SCMP_ACT_NOTIFY cannot be the default action");
  }
  for (const Rule& rule : profile.rules) {
    if (rule.action != SCMP_ACT_NOTIFY) continue;
    for (const std::string_view needed : kNeededToHandOver) {
      if (std::find(rule.names->begin(), rule.names->end(), needed) == rule.names->end()) continue;
      return Error::invalid_config(cat({rule.field, "/names"}),
                                   cat({"SCMP_ACT_NOTIFY cannot be used for ", needed}));
    }
  }
  const bool has_listener = !seccomp.listener_path.value_or("").empty();
  if (notifies(profile) && !has_listener) {
    return Error::invalid_config(cat({kField, "/listenerPath"}), "is required by rules with SCMP_ACT_NOTIFY");
  }
  if (!has_listener && !seccomp.listener_metadata.value_or("").empty()) {
    return Error::invalid_config(cat({kField, "/listenerMetadata"}), "means nothing without listenerPath");
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
      return Error::invalid_config(at(kField, "flags", i), cat({"unknown seccomp flag ", quoted(names[i])}));
    }
    flags |= *flag;
  }
  if (with_listener) return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return flags & ~std::uint64_t{
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};  // EINVAL without a listener, and nobody waits
}

// ---- numbers to instructions

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

std::size_t count_names(const Profile& profile) {
  std::size_t count = 0;
  for (const Rule& rule : profile.rules)
    count += rule.names->size();
  return count;
}

Result<Filter> make_filter(const Profile& profile) {
  (void)seccomp_api_set(kApiLevel);  // refused only for levels that the library does not know
  Filter filter(seccomp_init(profile.default_action));
  if (filter == nullptr) return Error::system("seccomp_init", ENOMEM).with({kField});
  for (const std::uint32_t token : profile.architectures) {
    const int result = seccomp_arch_add(filter.get(), token);
    if (result == -EDOM) {
      return Error::invalid_config(cat({kField, "/architectures"}),
                                   "lists one whose byte order is not this machine's");
    }
    if (result < 0 && result != -EEXIST) return Error::system("seccomp_arch_add", -result).with({kField});
  }
  if (count_names(profile) > kFewRules)
    (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // speed only
  return filter;
}

Status add_name(void* filter, const Rule& rule, const std::string& name) {
  const int number = seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) {
    if (log::is_enabled(log::Level::debug))
      log::debug(cat({rule.field, ": unknown system call ", quoted(name), " is skipped"}));
    return {};
  }
  for (const Condition& condition : rule.conditions) {
    const int result = seccomp_rule_add_array(filter, rule.action, number,
                                              static_cast<unsigned>(condition.size()), condition.data());
    if (result == -EEXIST)
      return Error::invalid_config(rule.field, cat({"contradicts an earlier rule for ", name}));
    if (result < 0) return Error::system("seccomp_rule_add", -result, name).with({rule.field});
  }
  return {};
}

Status add_rule(void* filter, const Rule& rule, std::uint32_t default_action) {
  if (rule.action == default_action) return {};  // libseccomp refuses rules that change nothing
  for (const std::string& name : *rule.names)
    TRY(add_name(filter, rule, name));
  return {};
}

Result<std::string> export_program(const Filter& filter) {
  const UniqueFd memory =
      TRY(sys::memfd_create("seccomp", 0));  // seccomp_export_bpf_mem needs libseccomp 2.6
  const int result = seccomp_export_bpf(filter.get(), memory.get());
  if (result < 0) return Error::system("seccomp_export_bpf", -result).with({kField});
  (void)TRY(sys::lseek(memory, 0, SEEK_SET));
  return read_fd(memory, "seccomp program");
}

// A profile that lets unknown calls through means it, and a tracer answers for itself (runc skips the same
// three).
bool lets_unknown_calls_through(std::uint32_t default_action) {
  const std::uint32_t kind = default_action & SECCOMP_RET_ACTION_FULL;
  return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
}

Result<std::string> compile(const spec::Seccomp& seccomp, const Profile& profile) {
  const Filter filter = TRY(make_filter(profile));
  for (const Rule& rule : profile.rules)
    TRY(add_rule(filter.get(), rule, profile.default_action));
  const std::string program = TRY(export_program(filter));
  if (lets_unknown_calls_through(profile.default_action)) return program;
  return enosys_prefix(seccomp.syscalls, profile.architectures) + program;
}

}  // namespace

Result<SeccompProgram> plan_seccomp(const spec::Seccomp& seccomp) {
  if (seccomp.default_action.empty() && seccomp.syscalls.empty())
    return SeccompProgram{};  // what engines write for "unconfined"
  const Profile profile = TRY(parse_profile(seccomp));
  TRY(check_notification(seccomp, profile));
  SeccompProgram program;
  program.notifies = notifies(profile);
  program.flags = TRY(parse_flags(seccomp, program.notifies));
  program.filter = TRY(compile(seccomp, profile));
  const std::size_t count = program.filter.size() / sizeof(sock_filter);
  if (count > BPF_MAXINSNS) {
    return Error::invalid_config(kField, cat({"the profile becomes ", std::to_string(count),
                                              " instructions, more than the 4096 that the kernel takes"}));
  }
  return program;
}

}  // namespace capsule::process
