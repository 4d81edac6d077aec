// The prefix has one section for each architecture as the kernel knows it, and in it one block for each range
// of numbers:
//
//     load arch
//     if arch != A: go to the next section
//     load nr
//     if nr below or above the range: go to the next block
//     if nr > newest named: return ENOSYS
//     go to the filter
//
// Conditional jumps reach 255 instructions and stay inside their section, which has at most fourteen; the way
// to the filter is a BPF_JA, whose offset has 32 bits.
#include "runtime/process/enosys_prefix.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

// Numbers outside the range that grows with the kernel are neither new nor newest; the filter answers them.
constexpr std::uint32_t kX32LegacyBase =
    kX32Bit + 512;  // x32's own rt_sigaction, ptrace, execve, … as old as x32 itself
constexpr std::uint32_t kArmPrivateBase =
    0x000f0000;  // __ARM_NR_BASE: set_tls and others that every program needs

struct Range {                 // of system call numbers that grow as the kernel does
  std::uint32_t architecture;  // AUDIT_ARCH_*
  std::uint32_t first;
  std::uint32_t end;  // exclusive; 0: no end
  std::uint32_t newest = 0;
};

Range range_of(std::uint32_t token) {
  if (token == SCMP_ARCH_X32) return {AUDIT_ARCH_X86_64, kX32Bit, kX32LegacyBase};
  if (token == SCMP_ARCH_X86_64) return {AUDIT_ARCH_X86_64, 0, kX32Bit};
  if (token == SCMP_ARCH_ARM) return {AUDIT_ARCH_ARM, 0, kArmPrivateBase};
  return {token, 0, 0};
}

bool is_inside(const Range& range, std::uint32_t number) {
  return number >= range.first && (range.end == 0 || number < range.end);
}

std::vector<Range> find_newest(const SeccompProfile& profile) {
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < profile.architectures.size(); ++i) {
    Range range = range_of(profile.architectures[i]);
    for (const int number : profile.numbers[i]) {
      if (number >= 0 && is_inside(range, static_cast<std::uint32_t>(number)))
        range.newest = std::max(range.newest, static_cast<std::uint32_t>(number));
    }
    if (range.newest != 0) ranges.push_back(range);
  }
  const auto by_architecture = [](const Range& a, const Range& b) { return a.architecture < b.architecture; };
  std::stable_sort(ranges.begin(), ranges.end(), by_architecture);
  return ranges;
}

using Program = std::vector<sock_filter>;

void load(Program& program, std::size_t offset) {
  program.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)});
}

void jump_if(Program& program,
             std::uint16_t comparison,
             std::uint32_t value,
             std::uint8_t if_true,
             std::uint8_t if_false) {
  program.push_back({static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), if_true, if_false, value});
}

void go_to_filter(Program& program) {
  program.push_back({BPF_JMP | BPF_JA, 0, 0, 0});
}  // patched once the length is known

void append_block(Program& section, const Range& range) {
  const std::uint8_t body = 3;  // the last three instructions of the block
  if (range.first != 0) jump_if(section, BPF_JGE, range.first, 0, range.end != 0 ? body + 1 : body);
  if (range.end != 0) jump_if(section, BPF_JGE, range.end, body, 0);
  jump_if(section, BPF_JGT, range.newest, 0, 1);
  section.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS});
  go_to_filter(section);
}

using RangeIterator = std::vector<Range>::const_iterator;

void append_section(Program& program, RangeIterator begin, RangeIterator end) {
  Program section;
  load(section, offsetof(seccomp_data, nr));
  for (RangeIterator range = begin; range != end; ++range)
    append_block(section, *range);
  go_to_filter(section);
  jump_if(program, BPF_JEQ, begin->architecture, 0, static_cast<std::uint8_t>(section.size()));
  program.insert(program.end(), section.begin(), section.end());
}

void patch_ways_to_filter(Program& program) {
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].code == (BPF_JMP | BPF_JA))
      program[i].k = static_cast<std::uint32_t>(program.size() - i - 1);
  }
}

}  // namespace

std::string enosys_prefix(const SeccompProfile& profile) {
  const std::vector<Range> ranges = find_newest(profile);
  if (ranges.empty()) return {};
  Program program;
  load(program, offsetof(seccomp_data, arch));
  for (RangeIterator begin = ranges.begin(); begin != ranges.end();) {
    const auto other = [begin](const Range& range) { return range.architecture != begin->architecture; };
    const RangeIterator end = std::find_if(begin, ranges.end(), other);
    append_section(program, begin, end);
    begin = end;
  }
  patch_ways_to_filter(program);
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace capsule::process
