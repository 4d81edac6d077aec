// For each architecture as the kernel knows it
//
//     if arch != A: go to the next section
//     a balanced tree over the ranges of numbers that have the same answer
//
// and at a leaf of the tree the answer, behind its conditions. Conditional jumps reach 255 instructions: what
// is farther away is reached by a BPF_JA. Leaves are shared, for the kernel takes time for each instruction:
// a third of a microsecond where it translates them, at the start of every process that has the filter.
#include "runtime/process/seccomp_assembly.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

using Program = std::vector<sock_filter>;

constexpr std::uint32_t kSkippedByTracer =
    UINT32_MAX;  // what ptrace(2) makes of a call that is not to be made
constexpr std::size_t kReach = 255;

enum class Width : unsigned char { bits32, bits64 };

// Calls that have the same answer: of these conditions the first that holds, or `otherwise`.
struct Range {
  std::uint32_t first;  // to the next one's
  std::uint32_t otherwise;
  const SeccompAnswers* answers = nullptr;  // nullptr: none
  Width width = Width::bits64;
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

Program answer_any(const Range& range) {
  Program code;
  for (const SeccompAnswer& wanted : *range.answers)
    append(code, answer_if(wanted, range.width));
  code.push_back(answer(range.otherwise));
  return code;
}

// ---- the tree

bool is_same(const scmp_arg_cmp& a, const scmp_arg_cmp& b) {
  return a.arg == b.arg && a.op == b.op && a.datum_a == b.datum_a && a.datum_b == b.datum_b;
}

bool is_same(const SeccompAnswer& a, const SeccompAnswer& b) {
  const auto same = [](const scmp_arg_cmp& x, const scmp_arg_cmp& y) { return is_same(x, y); };
  return a.action == b.action &&
         std::equal(a.condition.begin(), a.condition.end(), b.condition.begin(), b.condition.end(), same);
}

bool is_same(const Range& a, const Range& b) {
  if (a.otherwise != b.otherwise) return false;
  if (a.answers == nullptr || b.answers == nullptr) return a.answers == b.answers;
  const auto same = [](const SeccompAnswer& x, const SeccompAnswer& y) { return is_same(x, y); };
  return a.width == b.width &&
         std::equal(a.answers->begin(), a.answers->end(), b.answers->begin(), b.answers->end(), same);
}

void add_range(std::vector<Range>& ranges, const Range& range) {
  if (!ranges.empty() && ranges.back().first == range.first) ranges.pop_back();  // it was empty
  if (ranges.empty() || !is_same(ranges.back(), range)) ranges.push_back(range);
}

Range range_of(std::uint32_t first, const SeccompCall& call, std::uint32_t default_action, Width width) {
  const SeccompAnswer& only = call.answers.front();
  if (only.condition.empty()) return {first, only.action};
  return {first, default_action, &call.answers, width};
}

void add_table(std::vector<Range>& ranges,
               std::uint32_t first,
               const SeccompTable& table,
               std::uint32_t default_action) {
  const Width width = has_wide_arguments(table.token) ? Width::bits64 : Width::bits32;
  add_range(ranges, {first, default_action});
  for (const SeccompCall& call : table.calls) {
    add_range(ranges, range_of(call.number, call, default_action, width));
    add_range(ranges, {call.number + 1, default_action});
  }
}

using RangeIterator = std::vector<Range>::const_iterator;

// Written with the last instruction first: jumps go forward, and so their distances are known. A place is the
// number of instructions behind one.
class Trees {
 public:
  [[nodiscard]] std::size_t size() const { return program_.size(); }
  void push(const sock_filter& instruction) { program_.push_back(instruction); }

  // Of those ranges, in their order.
  //   returns   its place
  std::size_t append_tree(RangeIterator begin, RangeIterator end) {
    if (end - begin == 1) return append_leaf(*begin);
    const auto middle = begin + (end - begin) / 2;
    std::size_t right = append_tree(middle, end);
    std::size_t left = append_tree(begin, middle);
    right = bring_into_reach(right);
    left = bring_into_reach(left);
    push(jump(BPF_JGE, middle->first, size() - 1 - right, size() - 1 - left));
    return size() - 1;
  }

  Program finish() && {
    std::reverse(program_.begin(), program_.end());
    return std::move(program_);
  }

 private:
  struct Leaf {
    Range range;
    std::size_t place;
  };

  // One leaf does for all ranges that have its answer. A lone answer is as long as a way to it, so a new one
  // is made where the last is too far.
  std::size_t append_leaf(const Range& range) {
    const auto known = std::find_if(leaves_.begin(), leaves_.end(),
                                    [&](const Leaf& leaf) { return is_same(leaf.range, range); });
    const bool is_lone = range.answers == nullptr;
    if (known != leaves_.end() && (!is_lone || is_in_reach(known->place))) return known->place;

    const Program code = is_lone ? Program{answer(range.otherwise)} : answer_any(range);
    program_.insert(program_.end(), code.rbegin(), code.rend());
    if (known == leaves_.end()) {
      leaves_.push_back({range, size() - 1});
    } else {
      known->place = size() - 1;
    }
    return size() - 1;
  }

  // With one instruction, the other side's way, in between.
  [[nodiscard]] bool is_in_reach(std::size_t place) const { return size() - place <= kReach; }

  std::size_t bring_into_reach(std::size_t place) {
    if (is_in_reach(place)) return place;
    push(go(size() - 1 - place));
    return size() - 1;
  }

  Program program_;
  std::vector<Leaf> leaves_;
};

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
  add_range(ranges, {0, SCMP_ACT_KILL});
  if (const SeccompTable* plain = find_table(tables, SCMP_ARCH_X86_64))
    add_table(ranges, 0, *plain, default_action);
  add_range(ranges, {kX32Bit, SCMP_ACT_KILL});
  if (const SeccompTable* x32 = find_table(tables, SCMP_ARCH_X32)) {
    add_table(ranges, kX32Bit, *x32, default_action);
  } else {
    add_range(ranges, {kSkippedByTracer, default_action});
  }
  return ranges;
}

}  // namespace

std::string assemble(const std::vector<SeccompTable>& tables, std::uint32_t default_action) {
  Trees trees;
  trees.push(answer(SCMP_ACT_KILL));
  for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
    if (table->token == SCMP_ARCH_X32 && find_table(tables, SCMP_ARCH_X86_64) != nullptr)
      continue;  // in its section
    const std::vector<Range> ranges = make_ranges(tables, *table, default_action);
    const std::size_t next = trees.size() - 1;
    const std::size_t root = trees.append_tree(ranges.begin(), ranges.end());
    if (root != trees.size() - 1) trees.push(go(trees.size() - 1 - root));
    trees.push(load(offsetof(seccomp_data, nr)));
    trees.push(go(trees.size() - 1 - next));
    trees.push(jump(BPF_JEQ, kernel_architecture(table->token), 1, 0));
  }
  trees.push(load(offsetof(seccomp_data, arch)));
  const Program program = std::move(trees).finish();
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace capsule::process
