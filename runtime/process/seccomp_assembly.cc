// For each architecture as the kernel knows it
//
//     if arch != A: go to the next section
//     a balanced tree over the ranges of numbers that have the same answer
//
// and at a leaf of the tree the answer, behind its conditions. Conditional jumps reach 255 instructions: a
// tree whose left side is longer goes around it with BPF_JA.
#include "runtime/process/seccomp_assembly.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>

#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

using Program = std::vector<sock_filter>;

constexpr std::uint32_t kSkippedByTracer =
    UINT32_MAX;  // what ptrace(2) makes of a call that is not to be made
constexpr std::size_t kReach = 255;

enum class Width : unsigned char { bits32, bits64 };

struct Range {
  std::uint32_t first;  // to the next one's
  Program answer;
};

sock_filter load(std::size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}

sock_filter jump(std::uint32_t comparison, std::uint64_t value, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), static_cast<std::uint32_t>(value)};
}

sock_filter go(std::size_t distance) {
  return {BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(distance)};
}

sock_filter answer(std::uint32_t action) {
  return {BPF_RET | BPF_K, 0, 0, action};
}

void append(Program& program, const Program& more) {
  program.insert(program.end(), more.begin(), more.end());
}

// ---- conditions

std::size_t low_half(unsigned argument) {
  return offsetof(seccomp_data, args) +
         argument * sizeof(std::uint64_t);  // little endian, like every token of tabulate()
}

std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32U);
}

// The halves of one comparison: both fall through when it holds, jump `miss` instructions past their end when
// it does not. The upper half may also decide alone.
Program compare_low(const scmp_arg_cmp& c, std::size_t miss) {
  Program code{load(low_half(c.arg))};
  switch (c.op) {
    case SCMP_CMP_NE:
      code.push_back(jump(BPF_JEQ, c.datum_a, miss, 0));
      break;
    case SCMP_CMP_LT:
      code.push_back(jump(BPF_JGE, c.datum_a, miss, 0));
      break;
    case SCMP_CMP_LE:
      code.push_back(jump(BPF_JGT, c.datum_a, miss, 0));
      break;
    case SCMP_CMP_GE:
      code.push_back(jump(BPF_JGE, c.datum_a, 0, miss));
      break;
    case SCMP_CMP_GT:
      code.push_back(jump(BPF_JGT, c.datum_a, 0, miss));
      break;
    case SCMP_CMP_MASKED_EQ:
      code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, static_cast<std::uint32_t>(c.datum_a)});
      code.push_back(jump(BPF_JEQ, c.datum_b, 0, miss));
      break;
    default:
      code.push_back(jump(BPF_JEQ, c.datum_a, 0, miss));
  }
  return code;
}

// `low`: how many instructions the lower half has.
Program compare_high(const scmp_arg_cmp& c, std::size_t low, std::size_t miss) {
  Program code{load(low_half(c.arg) + sizeof(std::uint32_t))};
  switch (c.op) {
    case SCMP_CMP_NE:
      code.push_back(jump(BPF_JEQ, high(c.datum_a), 0, low));
      break;
    case SCMP_CMP_LT:
    case SCMP_CMP_LE:
      code.push_back(jump(BPF_JGT, high(c.datum_a), 1 + low + miss, 0));
      code.push_back(jump(BPF_JEQ, high(c.datum_a), 0, low));
      break;
    case SCMP_CMP_GE:
    case SCMP_CMP_GT:
      code.push_back(jump(BPF_JGT, high(c.datum_a), 1 + low, 0));
      code.push_back(jump(BPF_JEQ, high(c.datum_a), 0, low + miss));
      break;
    case SCMP_CMP_MASKED_EQ:
      code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, high(c.datum_a)});
      code.push_back(jump(BPF_JEQ, high(c.datum_b), 0, low + miss));
      break;
    default:
      code.push_back(jump(BPF_JEQ, high(c.datum_a), 0, low + miss));
  }
  return code;
}

// Answers if the condition holds, and falls through if not. Made from its end, as jumps go forward.
Program answer_if(const SeccompAnswer& wanted, Width width) {
  Program code{answer(wanted.action)};
  for (auto c = wanted.condition.rbegin(); c != wanted.condition.rend(); ++c) {
    const Program low = compare_low(*c, code.size());
    Program longer = width == Width::bits64 ? compare_high(*c, low.size(), code.size()) : Program{};
    append(longer, low);
    append(longer, code);
    code = std::move(longer);
  }
  return code;
}

Program answer_any(const SeccompAnswers& answers, std::uint32_t default_action, Width width) {
  Program code;
  for (const SeccompAnswer& wanted : answers)
    append(code, answer_if(wanted, width));
  const bool always = answers.front().condition.empty();
  if (!always) code.push_back(answer(default_action));
  return code;
}

// ---- the tree

bool is_same(const Program& a, const Program& b) {
  const auto same = [](const sock_filter& x, const sock_filter& y) {
    return x.code == y.code && x.jt == y.jt && x.jf == y.jf && x.k == y.k;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

void add_range(std::vector<Range>& ranges, std::uint32_t first, Program code) {
  if (!ranges.empty() && ranges.back().first == first) ranges.pop_back();  // it was empty
  if (ranges.empty() || !is_same(ranges.back().answer, code)) ranges.push_back({first, std::move(code)});
}

void add_table(std::vector<Range>& ranges,
               std::uint32_t first,
               const SeccompTable& table,
               std::uint32_t default_action) {
  const Width width = has_wide_arguments(table.token) ? Width::bits64 : Width::bits32;
  const Program otherwise{answer(default_action)};
  add_range(ranges, first, otherwise);
  for (const auto& [number, answers] : table.calls) {
    add_range(ranges, number, answer_any(answers, default_action, width));
    add_range(ranges, number + 1, otherwise);
  }
}

Program make_tree(std::vector<Range>::const_iterator begin, std::vector<Range>::const_iterator end) {
  if (end - begin == 1) return begin->answer;
  const auto middle = begin + (end - begin) / 2;
  const Program left = make_tree(begin, middle);
  Program tree;
  if (left.size() <= kReach) {
    tree = {jump(BPF_JGE, middle->first, left.size(), 0)};
  } else {
    tree = {jump(BPF_JGE, middle->first, 0, 1), go(left.size())};
  }
  append(tree, left);
  append(tree, make_tree(middle, end));
  return tree;
}

// ---- architectures

std::uint32_t kernel_architecture(std::uint32_t token) {
  return token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
}

const SeccompTable* find_table(const std::vector<SeccompTable>& tables, std::uint32_t token) {
  const auto found =
      std::find_if(tables.begin(), tables.end(), [token](const SeccompTable& t) { return t.token == token; });
  return found == tables.end() ? nullptr : &*found;
}

// x86-64 below the bit and x32 above it: calls of the one that is not listed are of an unknown architecture.
std::vector<Range> make_ranges(const std::vector<SeccompTable>& tables,
                               const SeccompTable& table,
                               std::uint32_t default_action) {
  std::vector<Range> ranges;
  if (kernel_architecture(table.token) != AUDIT_ARCH_X86_64) {
    add_table(ranges, 0, table, default_action);
    return ranges;
  }
  const Program kill{answer(SCMP_ACT_KILL)};
  add_range(ranges, 0, kill);
  if (const SeccompTable* plain = find_table(tables, SCMP_ARCH_X86_64))
    add_table(ranges, 0, *plain, default_action);
  add_range(ranges, kX32Bit, kill);
  if (const SeccompTable* x32 = find_table(tables, SCMP_ARCH_X32)) {
    add_table(ranges, kX32Bit, *x32, default_action);
  } else {
    add_range(ranges, kSkippedByTracer, {answer(default_action)});
  }
  return ranges;
}

}  // namespace

std::string assemble(const std::vector<SeccompTable>& tables, std::uint32_t default_action) {
  Program program{load(offsetof(seccomp_data, arch))};
  for (const SeccompTable& table : tables) {
    if (table.token == SCMP_ARCH_X32 && find_table(tables, SCMP_ARCH_X86_64) != nullptr)
      continue;  // in its section
    const std::vector<Range> ranges = make_ranges(tables, table, default_action);
    Program section{load(offsetof(seccomp_data, nr))};
    append(section, make_tree(ranges.begin(), ranges.end()));
    append(program, {jump(BPF_JEQ, kernel_architecture(table.token), 1, 0), go(section.size())});
    append(program, section);
  }
  program.push_back(answer(SCMP_ACT_KILL));
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace capsule::process
