#include "runtime/process/seccomp_rules.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/base/text.h"
#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

constexpr std::size_t kArgumentCount = 6;

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
    const std::uint32_t token =
        TRY(parse_seccomp_architecture(names[i], pointer_to(kSeccompField, "architectures", i)));
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
  // For MASKED_EQ, value is the mask and valueTwo what must remain, of which only the bits of the mask count.
  const bool is_masked = *op == SCMP_CMP_MASKED_EQ;
  return scmp_arg_cmp{arg.index, static_cast<scmp_compare>(*op), arg.value,
                      is_masked ? arg.value_two & arg.value : arg.value_two};
}

bool has_repeated_argument(const SeccompCondition& condition) {
  std::array<unsigned, kArgumentCount> count{};
  for (const scmp_arg_cmp& comparison : condition)
    ++count.at(comparison.arg);
  return std::any_of(count.begin(), count.end(), [](unsigned n) { return n > 1; });
}

// Comparisons of different arguments must all hold. libseccomp cannot say that of one argument twice; then,
// as in runc, any of them will do.
Result<std::vector<SeccompCondition>> parse_conditions(const std::vector<spec::SyscallArg>& args,
                                                       std::string_view field) {
  SeccompCondition all;
  for (std::size_t i = 0; i < args.size(); ++i)
    all.push_back(TRY(parse_comparison(args[i], pointer_to(field, "args", i))));
  if (!has_repeated_argument(all)) return std::vector<SeccompCondition>{all};
  std::vector<SeccompCondition> any;
  for (const scmp_arg_cmp& comparison : all)
    any.push_back({comparison});
  return any;
}

Result<SeccompRule> parse_rule(const spec::SyscallRule& rule, std::string field) {
  const std::uint32_t action = TRY(parse_action({rule.action, rule.errno_ret, field, "action", "errnoRet"}));
  std::vector<SeccompCondition> conditions = TRY(parse_conditions(rule.args, field));
  return SeccompRule{&rule.names, action, std::move(conditions), std::move(field)};
}

std::vector<int> numbers_on(std::uint32_t token, const std::vector<SeccompRule>& rules) {
  std::vector<int> numbers;
  for (const SeccompRule& rule : rules) {
    for (const std::string& name : *rule.names)
      numbers.push_back(seccomp_syscall_resolve_name_arch(token, name.c_str()));
  }
  return numbers;
}

}  // namespace

Result<SeccompProfile> parse_seccomp_profile(const spec::Seccomp& seccomp) {
  SeccompProfile profile;
  profile.default_action = TRY(parse_action({seccomp.default_action, seccomp.default_errno_ret, kSeccompField,
                                             "defaultAction", "defaultErrnoRet"}));
  profile.architectures = TRY(parse_architectures(seccomp.architectures));
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    profile.rules.push_back(TRY(parse_rule(seccomp.syscalls[i], pointer_to(kSeccompField, "syscalls", i))));
  }
  return profile;
}

void find_numbers(SeccompProfile& profile) {
  for (const std::uint32_t token : profile.architectures)
    profile.numbers.push_back(numbers_on(token, profile.rules));
}

}  // namespace capsule::process
