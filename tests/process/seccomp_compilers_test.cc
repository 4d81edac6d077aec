// Our compiler and libseccomp's must give every call the same answer: programs made by both from the same
// profile are asked about every number near one that is named, on every architecture, with arguments around
// every value that a rule compares.
#include <linux/filter.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "runtime/base/text.h"
#include "runtime/process/seccomp_assembly.h"
#include "runtime/process/seccomp_library.h"
#include "runtime/process/seccomp_tables.h"
#include "tests/process/seccomp_profile.h"

using namespace capsule;
using namespace capsule::process;
using namespace capsule::test;
using spec::Seccomp;
using spec::SyscallArg;

namespace {

constexpr std::array<std::uint32_t, 5> kAsked = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                                 AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64};
constexpr std::uint32_t kX32 = 0x40000000;
// x32's and Arm's own calls, and -1, which a tracer makes of a call that is not to be made.
constexpr std::array<std::uint32_t, 4> kBeginnings = {0, kX32, 0x000f0000, UINT32_MAX - 1};
constexpr std::uint32_t kNumbers = 600;

// Around each value, in each half, and the extremes.
std::vector<std::uint64_t> values_of(const SeccompProfile& profile) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 32U;
  std::set<std::uint64_t> values{0, 1, UINT32_MAX, kHalf, UINT64_MAX};
  for (const SeccompRule& rule : profile.rules) {
    for (const SeccompCondition& condition : rule.conditions) {
      for (const scmp_arg_cmp& c : condition) {
        for (const std::uint64_t v : {c.datum_a, c.datum_b, c.datum_a | c.datum_b})
          values.insert({v - 1, v, v + 1, v + kHalf, v - kHalf, v ^ UINT64_MAX, v & UINT32_MAX});
      }
    }
  }
  return {values.begin(), values.end()};
}

std::vector<Arguments> arguments_for(const SeccompProfile& profile, std::mt19937& random) {
  const std::vector<std::uint64_t> values = values_of(profile);
  std::vector<Arguments> all(1);
  const auto any = [&] { return values[random() % values.size()]; };
  for (std::size_t i = 0; i < 40 && values.size() > 5; ++i)
    all.push_back({any(), any(), any(), any(), any(), any()});
  for (std::uint64_t number = 1; number <= 24; ++number)
    all.push_back({number, any(), any(), any(), any(), any()});  // those of socketcall and ipc
  return all;
}

// ---- a third opinion

bool holds(const scmp_arg_cmp& c, std::uint64_t argument, std::uint64_t width) {
  const std::uint64_t value = argument & width, a = c.datum_a & width, b = c.datum_b & width;
  switch (c.op) {
    case SCMP_CMP_NE:
      return value != a;
    case SCMP_CMP_LT:
      return value < a;
    case SCMP_CMP_LE:
      return value <= a;
    case SCMP_CMP_EQ:
      return value == a;
    case SCMP_CMP_GE:
      return value >= a;
    case SCMP_CMP_GT:
      return value > a;
    default:
      return (value & a) == b;
  }
}

struct Judge {
  const std::vector<SeccompTable>& tables;
  std::uint32_t default_action;

  const SeccompTable* find(std::uint32_t architecture, std::uint32_t number) const {
    const bool is_x32 = architecture == AUDIT_ARCH_X86_64 && number >= kX32;
    for (const SeccompTable& table : tables)
      if (is_x32 ? table.token == SCMP_ARCH_X32 : table.token == architecture) return &table;
    return nullptr;
  }

  static const SeccompCall* find_call(const SeccompTable& table, std::uint32_t number) {
    for (const SeccompCall& call : table.calls)
      if (call.number == number) return &call;
    return nullptr;
  }

  // Of a call whose rules compare arguments; 0 for all others.
  std::uint32_t verdict(std::uint32_t architecture, std::uint32_t number, const Arguments& arguments) const {
    const SeccompTable* table = find(architecture, number);
    const SeccompCall* call = table == nullptr ? nullptr : find_call(*table, number);
    if (call == nullptr) return 0;
    const bool is_wide = table->token == SCMP_ARCH_X86_64 || table->token == SCMP_ARCH_AARCH64;
    for (const SeccompAnswer& answer : call->answers) {
      if (answer.condition.empty()) return 0;
      const auto is_met = [&](const scmp_arg_cmp& c) {
        return holds(c, arguments.at(c.arg), is_wide ? UINT64_MAX : UINT32_MAX);
      };
      if (std::all_of(answer.condition.begin(), answer.condition.end(), is_met)) return answer.action;
    }
    return default_action;
  }
};

// ---- the comparison

struct Difference {
  std::string words;  // empty: none
  int library_errors =
      0;  // libseccomp 2.5 forgets a comparison now and then where architectures or rules share some
};

Difference compare(std::string_view ours,
                   std::string_view theirs,
                   const Judge& judge,
                   const std::vector<Arguments>& all) {
  Difference difference;
  for (const std::uint32_t architecture : kAsked) {
    for (const std::uint32_t first : kBeginnings) {
      for (std::uint32_t i = 0; i < kNumbers; ++i) {
        const std::uint32_t number = first + i;
        for (const Arguments& arguments : all) {
          const std::uint32_t a = verdict(ours, architecture, number, arguments);
          const std::uint32_t b = verdict(theirs, architecture, number, arguments);
          if (a == b) continue;
          ++difference.library_errors;
          if (a != 0 && a == judge.verdict(architecture, number, arguments)) continue;
          difference.words =
              cat({"architecture ", std::to_string(architecture), " call ", std::to_string(number), ": ours ",
                   std::to_string(a), ", libseccomp's ", std::to_string(b), ", arguments"});
          for (const std::uint64_t argument : arguments)
            difference.words.append(" ").append(std::to_string(argument));
          return difference;
        }
      }
    }
  }
  return difference;
}

// Refused by libseccomp alone: rules that contradict each other about a call that none of the architectures
// has.
enum class Outcome : unsigned char { agreed, library_erred, library_refused, not_ours };

Result<SeccompProfile> whole_profile(const Seccomp& seccomp) {
  SeccompProfile profile = TRY(parse_seccomp_profile(seccomp));
  find_numbers(profile);
  return profile;
}

Outcome check_agreement(const Seccomp& seccomp, std::mt19937& random) {
  const Result<SeccompProfile> profile = whole_profile(seccomp);
  REQUIRE(profile.has_value());
  const auto tables = tabulate(profile.value());
  if (!tables.has_value()) return Outcome::not_ours;
  const Result<std::string> theirs = compile_by_library(profile.value());
  if (!theirs.has_value()) return Outcome::library_refused;
  const Judge judge{*tables, profile.value().default_action};
  const Difference difference = compare(assemble(*tables, judge.default_action), theirs.value(), judge,
                                        arguments_for(profile.value(), random));
  CHECK(difference.words == "");
  return difference.library_errors == 0 ? Outcome::agreed : Outcome::library_erred;
}

constexpr std::array kOperators = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",       "SCMP_CMP_EQ",
                                   "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
constexpr std::array kNames = {
    "read",       "write",       "socket",  "bind",         "accept",      "accept4", "semop",
    "shmat",      "socketcall",  "ipc",     "clone",        "openat",      "mmap",    "mmap2",
    "stat64",     "_llseek",     "set_tls", "execve",       "ptrace",      "statx",   "recv",
    "semtimedop", "personality", "ioctl",   "rt_sigaction", "no_such_call"};
constexpr std::array kActions = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"};
constexpr std::array<std::uint64_t, 8> kValues = {0,           1,          16,          0xffffffff,
                                                  0x100000000, 0x7e020000, 0x100000001, UINT64_MAX};

template <class List>
auto one_of(const List& list, std::mt19937& random) {
  return list[random() % list.size()];
}

SyscallArg random_argument(std::mt19937& random) {
  SyscallArg arg{.index = static_cast<std::uint32_t>(random() % 4), .value = one_of(kValues, random)};
  arg.op = one_of(kOperators, random);
  if (arg.op == "SCMP_CMP_MASKED_EQ") arg.value_two = one_of(kValues, random);
  return arg;
}

Seccomp random_profile(std::mt19937& random) {
  Seccomp seccomp{.default_action = one_of(kActions, random)};
  for (const char* name :
       {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"})
    if (random() % 2 == 0) seccomp.architectures.emplace_back(name);
  for (std::size_t rules = random() % 6; rules > 0; --rules) {
    spec::SyscallRule rule{.names = {}, .action = one_of(kActions, random)};
    for (std::size_t names = 1 + random() % 8; names > 0; --names) {
      const std::string name = one_of(kNames, random);
      if (std::find(rule.names.begin(), rule.names.end(), name) == rule.names.end())
        rule.names.push_back(name);
    }
    for (std::size_t arguments = random() % 4; arguments > 0 && random() % 2 == 0; --arguments)
      rule.args.push_back(random_argument(random));
    seccomp.syscalls.push_back(std::move(rule));
  }
  return seccomp;
}

std::string told(const Seccomp& seccomp) {
  std::string words = seccomp.default_action;
  for (const spec::SyscallRule& rule : seccomp.syscalls) {
    words.append("; ").append(join(rule.names, ",")).append(" ").append(rule.action);
    for (const SyscallArg& arg : rule.args)
      words.append(cat({" ", std::to_string(arg.index), " ", arg.op, " ", std::to_string(arg.value), " ",
                        std::to_string(arg.value_two)}));
  }
  return words;
}

}  // namespace

TEST_CASE("random profiles mean the same to both compilers", "[process][seccomp]") {
  std::mt19937 random(20260501);
  std::map<Outcome, int> outcomes;
  for (int i = 0; i < 300; ++i) {
    const Seccomp seccomp = random_profile(random);
    INFO("profile " << i << ": " << told(seccomp));
    ++outcomes[check_agreement(seccomp, random)];
  }
  CHECK(outcomes[Outcome::agreed] > 150);
  CHECK(outcomes[Outcome::library_erred] + outcomes[Outcome::library_refused] < 10);
}

TEST_CASE("rules for one call with several actions are ours where no call fulfils two",
          "[process][seccomp]") {
  const SyscallArg netlink{.index = 0, .value = 16, .op = "SCMP_CMP_EQ"};
  const SyscallArg audit{.index = 2, .value = 9, .op = "SCMP_CMP_EQ"};
  const SyscallArg not_netlink{.index = 0, .value = 16, .op = "SCMP_CMP_NE"};
  const SyscallArg not_audit{.index = 2, .value = 9, .op = "SCMP_CMP_NE"};
  Seccomp seccomp{
      .default_action = "SCMP_ACT_ERRNO",
      .default_errno_ret = 38,
      .architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"},
      .syscalls = {
          {.names = {"socketcall", "bind"}, .action = "SCMP_ACT_ALLOW"},
          {.names = {"socket"}, .action = "SCMP_ACT_ERRNO", .errno_ret = 22, .args = {netlink, audit}},
          {.names = {"socket"}, .action = "SCMP_ACT_ALLOW", .args = {not_audit}},
          {.names = {"socket"}, .action = "SCMP_ACT_ALLOW", .args = {not_netlink}}}};
  std::mt19937 random(1);
  CHECK(check_agreement(seccomp, random) == Outcome::agreed);

  seccomp.syscalls.back().args = {{.index = 0, .value = 16, .op = "SCMP_CMP_GE"}};  // 16 is both now
  CHECK(check_agreement(seccomp, random) == Outcome::not_ours);
}

TEST_CASE("what only libseccomp knows is left to it", "[process][seccomp]") {
  std::mt19937 random(1);
  Seccomp other{.default_action = "SCMP_ACT_ALLOW", .architectures = {"SCMP_ARCH_RISCV64"}};
  CHECK(check_agreement(other, random) == Outcome::not_ours);

  const SyscallArg one{.index = 0, .value = 1, .op = "SCMP_CMP_EQ"};
  const Seccomp contradiction{.default_action = "SCMP_ACT_ALLOW",
                              .syscalls = {{.names = {"read"}, .action = "SCMP_ACT_ERRNO", .args = {one}},
                                           {.names = {"read"}, .action = "SCMP_ACT_LOG", .args = {one}}}};
  CHECK(check_agreement(contradiction, random) == Outcome::not_ours);
}

TEST_CASE("what we cannot say in 4096 instructions is left to libseccomp", "[process][seccomp]") {
  Seccomp seccomp{.default_action = "SCMP_ACT_ERRNO", .architectures = {"SCMP_ARCH_X86_64"}};
  for (std::uint64_t value = 0; value < 600; ++value) {  // libseccomp compares the first argument once
    seccomp.syscalls.push_back({.names = {"ioctl"},
                                .action = "SCMP_ACT_ALLOW",
                                .args = {{.index = 0, .value = 7, .op = "SCMP_CMP_EQ"},
                                         {.index = 1, .value = value, .op = "SCMP_CMP_EQ"}}});
  }
  const Result<SeccompProfile> profile = whole_profile(seccomp);
  REQUIRE(profile.has_value());
  const auto tables = tabulate(profile.value());
  REQUIRE(tables.has_value());

  CHECK(assemble(*tables, profile.value().default_action).size() > BPF_MAXINSNS * sizeof(sock_filter));
  CHECK(compiled(seccomp).filter.size() <= BPF_MAXINSNS * sizeof(sock_filter));
}
