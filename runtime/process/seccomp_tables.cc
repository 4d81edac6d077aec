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
constexpr auto kMultiplexed = std::to_array({
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
});

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

struct Numbered {
  std::uint32_t number;
  SeccompAnswer answer;
};

void add_multiplexed(std::vector<Numbered>& list, const Multiplexed& multiplexed, const SeccompRule& rule) {
  for (const SeccompCondition& condition : rule.conditions) {
    list.push_back({multiplexed.by, {through(multiplexed, condition), rule.action}});
    if (multiplexed.own != kNone) list.push_back({multiplexed.own, {condition, rule.action}});
  }
}

void add_name(std::vector<Numbered>& list,
              std::uint32_t token,
              const std::string& name,
              int number,
              const SeccompRule& rule) {
  const auto* multiplexed = token == SCMP_ARCH_X86 ? find_named(kMultiplexed, name) : nullptr;
  if (multiplexed != nullptr) return add_multiplexed(list, multiplexed->value, rule);
  if (number < 0) return;  // unknown, or not on this architecture
  for (const SeccompCondition& condition : rule.conditions)
    list.push_back({static_cast<std::uint32_t>(number), {condition, rule.action}});
}

// Of one number in the order of the rules. Sorted are numbers with their places, not what is behind them.
std::vector<SeccompCall> by_number(std::vector<Numbered> list) {
  constexpr unsigned kNumberAt = 32;
  std::vector<std::uint64_t> order;
  order.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    order.push_back((std::uint64_t{list[i].number} << kNumberAt) | i);
  std::sort(order.begin(), order.end());

  std::vector<SeccompCall> calls;
  calls.reserve(list.size());
  for (const std::uint64_t key : order) {
    Numbered& entry = list[key & UINT32_MAX];
    if (calls.empty() || calls.back().number != entry.number) calls.push_back({entry.number, {}});
    calls.back().answers.push_back(std::move(entry.answer));
  }
  return calls;
}

SeccompTable make_table(const SeccompProfile& profile, std::size_t architecture) {
  const std::uint32_t token = profile.architectures[architecture];
  std::vector<Numbered> list;
  list.reserve(profile.numbers[architecture].size());
  auto number = profile.numbers[architecture].begin();
  for (const SeccompRule& rule : profile.rules) {
    for (const std::string& name : *rule.names) {
      if (rule.action != profile.default_action) add_name(list, token, name, *number, rule);
      ++number;
    }
  }
  return {token, by_number(std::move(list))};
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
  if (answers.size() > 1 && is_unconditional(answers.back()))
    answers.erase(answers.begin(), answers.end() - 1);
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
  for (std::size_t i = 0; i < profile.architectures.size(); ++i) {
    if (!is_known(profile.architectures[i])) return std::nullopt;
    SeccompTable& table = tables.emplace_back(make_table(profile, i));
    for (SeccompCall& call : table.calls) {
      drop_hidden(call.answers);
      if (is_ambiguous(call.answers) || is_odd(table, call.answers)) return std::nullopt;
      drop_overruled(call.answers);
    }
  }
  return tables;
}

}  // namespace capsule::process
