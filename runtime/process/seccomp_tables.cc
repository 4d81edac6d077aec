#include "runtime/process/seccomp_tables.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/process/named.h"
#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

constexpr std::array<std::uint32_t, 5> kArchitectures = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32,
                                                         SCMP_ARCH_AARCH64, SCMP_ARCH_ARM};

// Of i386 alone (asm/unistd_32.h, linux/net.h, linux/ipc.h): what can also be asked of socketcall(2) and
// ipc(2), which take its number as their first argument.
constexpr std::uint32_t kSocketcall = 102, kIpc = 117;
constexpr std::uint32_t kNone = 0;  // no call of its own
struct Multiplexed {
  std::uint32_t by, number, own;
};
constexpr std::array kMultiplexed = {
    Named<Multiplexed>{"socket", {kSocketcall, 1, 359}},
    Named<Multiplexed>{"bind", {kSocketcall, 2, 361}},
    Named<Multiplexed>{"connect", {kSocketcall, 3, 362}},
    Named<Multiplexed>{"listen", {kSocketcall, 4, 363}},
    Named<Multiplexed>{"accept", {kSocketcall, 5, kNone}},
    Named<Multiplexed>{"getsockname", {kSocketcall, 6, 367}},
    Named<Multiplexed>{"getpeername", {kSocketcall, 7, 368}},
    Named<Multiplexed>{"socketpair", {kSocketcall, 8, 360}},
    Named<Multiplexed>{"send", {kSocketcall, 9, kNone}},
    Named<Multiplexed>{"recv", {kSocketcall, 10, kNone}},
    Named<Multiplexed>{"sendto", {kSocketcall, 11, 369}},
    Named<Multiplexed>{"recvfrom", {kSocketcall, 12, 371}},
    Named<Multiplexed>{"shutdown", {kSocketcall, 13, 373}},
    Named<Multiplexed>{"setsockopt", {kSocketcall, 14, 366}},
    Named<Multiplexed>{"getsockopt", {kSocketcall, 15, 365}},
    Named<Multiplexed>{"sendmsg", {kSocketcall, 16, 370}},
    Named<Multiplexed>{"recvmsg", {kSocketcall, 17, 372}},
    Named<Multiplexed>{"accept4", {kSocketcall, 18, 364}},
    Named<Multiplexed>{"recvmmsg", {kSocketcall, 19, 337}},
    Named<Multiplexed>{"sendmmsg", {kSocketcall, 20, 345}},
    Named<Multiplexed>{"semop", {kIpc, 1, kNone}},
    Named<Multiplexed>{"semget", {kIpc, 2, 393}},
    Named<Multiplexed>{"semctl", {kIpc, 3, 394}},
    Named<Multiplexed>{"semtimedop", {kIpc, 4, kNone}},
    Named<Multiplexed>{"msgsnd", {kIpc, 11, 400}},
    Named<Multiplexed>{"msgrcv", {kIpc, 12, 401}},
    Named<Multiplexed>{"msgget", {kIpc, 13, 399}},
    Named<Multiplexed>{"msgctl", {kIpc, 14, 402}},
    Named<Multiplexed>{"shmat", {kIpc, 21, 397}},
    Named<Multiplexed>{"shmdt", {kIpc, 22, 398}},
    Named<Multiplexed>{"shmget", {kIpc, 23, 395}},
    Named<Multiplexed>{"shmctl", {kIpc, 24, 396}},
};

bool is_known(std::uint32_t token) {
  return std::find(kArchitectures.begin(), kArchitectures.end(), token) != kArchitectures.end();
}

// The first argument is the number then; what a rule demands of the others is demanded all the same.
SeccompCondition through(const Multiplexed& multiplexed, const SeccompCondition& condition) {
  SeccompCondition all{{0, SCMP_CMP_EQ, multiplexed.number, 0}};
  const auto is_other = [](const scmp_arg_cmp& comparison) { return comparison.arg != 0; };
  std::copy_if(condition.begin(), condition.end(), std::back_inserter(all), is_other);
  return all;
}

void add_multiplexed(SeccompTable& table, const Multiplexed& multiplexed, const SeccompRule& rule) {
  for (const SeccompCondition& condition : rule.conditions) {
    table.calls[multiplexed.by].push_back({through(multiplexed, condition), rule.action});
    if (multiplexed.own != kNone) table.calls[multiplexed.own].push_back({condition, rule.action});
  }
}

void add_name(SeccompTable& table, const std::string& name, const SeccompRule& rule) {
  const auto* multiplexed = table.token == SCMP_ARCH_X86 ? find_named(kMultiplexed, name) : nullptr;
  if (multiplexed != nullptr) return add_multiplexed(table, multiplexed->value, rule);
  const int number = seccomp_syscall_resolve_name_arch(table.token, name.c_str());
  if (number < 0) return;  // unknown, or not on this architecture
  SeccompAnswers& answers = table.calls[static_cast<std::uint32_t>(number)];
  for (const SeccompCondition& condition : rule.conditions)
    answers.push_back({condition, rule.action});
}

// No call fulfils both: they want different values of one argument, or one wants what the other does not.
bool excludes(const scmp_arg_cmp& a, const scmp_arg_cmp& b) {
  if (a.arg != b.arg) return false;
  if (a.op == SCMP_CMP_EQ && b.op == SCMP_CMP_EQ) return a.datum_a != b.datum_a;
  const bool one_wants_it =
      (a.op == SCMP_CMP_EQ && b.op == SCMP_CMP_NE) || (a.op == SCMP_CMP_NE && b.op == SCMP_CMP_EQ);
  return one_wants_it && a.datum_a == b.datum_a;
}

bool excludes(const SeccompCondition& one, const SeccompCondition& other) {
  return std::any_of(one.begin(), one.end(), [&](const scmp_arg_cmp& a) {
    return std::any_of(other.begin(), other.end(), [&](const scmp_arg_cmp& b) { return excludes(a, b); });
  });
}

bool is_unconditional(const SeccompAnswer& answer) {
  return answer.condition.empty();
}

// A rule without conditions overrules those before it and hides all behind it, as with libseccomp.
void drop_hidden(SeccompAnswers& answers) {
  const auto first = std::find_if(answers.begin(), answers.end(), is_unconditional);
  if (first != answers.end()) answers.erase(first + 1, answers.end());
}

void drop_overruled(SeccompAnswers& answers) {
  if (is_unconditional(answers.back())) answers = {answers.back()};
}

// What libseccomp refuses, or settles in a way of its own: conditions for different actions that a call can
// fulfil both.
bool contradicts(const SeccompAnswer& a, const SeccompAnswer& b) {
  if (a.action == b.action || is_unconditional(a) != is_unconditional(b)) return false;
  return !excludes(a.condition, b.condition);
}

bool is_ambiguous(const SeccompAnswers& answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto contradicts_it = [&](const SeccompAnswer& later) { return contradicts(answers[i], later); };
    if (std::any_of(answers.begin() + static_cast<std::ptrdiff_t>(i) + 1, answers.end(), contradicts_it))
      return true;
  }
  return false;
}

// A mask without bits, or more bits than an argument has: what that means is libseccomp's to say.
bool is_odd(const scmp_arg_cmp& c, std::uint64_t highest) {
  return (c.op == SCMP_CMP_MASKED_EQ && c.datum_a == 0) || c.datum_a > highest || c.datum_b > highest;
}

bool is_odd(const SeccompTable& table, const SeccompAnswers& answers) {
  const std::uint64_t highest = has_wide_arguments(table.token) ? UINT64_MAX : UINT32_MAX;
  return std::any_of(answers.begin(), answers.end(), [highest](const SeccompAnswer& answer) {
    return std::any_of(answer.condition.begin(), answer.condition.end(),
                       [highest](const scmp_arg_cmp& c) { return is_odd(c, highest); });
  });
}

}  // namespace

std::optional<std::vector<SeccompTable>> tabulate(const SeccompProfile& profile) {
  std::vector<SeccompTable> tables;
  for (const std::uint32_t token : profile.architectures) {
    if (!is_known(token)) return std::nullopt;
    SeccompTable& table = tables.emplace_back(SeccompTable{token, {}});
    for (const SeccompRule& rule : profile.rules) {
      if (rule.action == profile.default_action) continue;
      for (const std::string& name : *rule.names)
        add_name(table, name, rule);
    }
    for (auto& [number, answers] : table.calls) {
      drop_hidden(answers);
      if (is_ambiguous(answers) || is_odd(table, answers)) return std::nullopt;
      drop_overruled(answers);
    }
  }
  return tables;
}

}  // namespace capsule::process
