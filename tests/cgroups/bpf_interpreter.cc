#include "tests/cgroups/bpf_interpreter.h"

#include <linux/bpf.h>

#include <array>
#include <cstddef>

#include "tests/support/catch.h"

namespace capsule::test {
namespace {

std::uint32_t load_context(const DeviceRequest& request, int offset) {
  if (offset == 0) return request.access << 16U | request.type;
  if (offset == 4) return request.major;
  if (offset == 8) return request.minor;
  FAIL("read outside the context, at " << offset);
  return 0;
}

std::uint32_t calculate(int operation, std::uint32_t left, std::uint32_t right) {
  switch (operation) {
    case BPF_MOV:
      return right;
    case BPF_AND:
      return left & right;
    case BPF_OR:
      return left | right;
    case BPF_LSH:
      return left << right;
    case BPF_RSH:
      return left >> right;
    default:
      FAIL("unknown arithmetic " << operation);
      return 0;
  }
}

bool compare(int operation, std::uint32_t left, std::uint32_t right) {
  switch (operation) {
    case BPF_JEQ:
      return left == right;
    case BPF_JNE:
      return left != right;
    case BPF_JSET:
      return (left & right) != 0;
    default:
      FAIL("unknown comparison " << operation);
      return false;
  }
}

}  // namespace

bool interpret(const std::vector<cgroups::BpfInstruction>& program, const DeviceRequest& request) {
  std::array<std::uint32_t, 11> registers{};
  std::size_t at = 0;
  for (;; ++at) {
    if (at >= program.size()) FAIL("ran past the end");
    const cgroups::BpfInstruction& now = program[at];
    const int operation = now.code & 0xF0;
    std::uint32_t& left = registers.at(now.registers & 0xFU);
    const bool from_register = (now.code & BPF_X) != 0;
    const auto right =
        from_register ? registers.at(now.registers >> 4U) : static_cast<std::uint32_t>(now.immediate);
    const auto jump = static_cast<std::size_t>(now.offset);
    if ((now.code & 7) >= BPF_JMP && now.offset < 0) FAIL("jumps back");
    switch (now.code & 7) {
      case BPF_LDX:
        left = load_context(request, now.offset);
        break;
      case BPF_ALU:
        left = calculate(operation, left, right);
        break;
      case BPF_JMP32:
        if (compare(operation, left, right)) at += jump;
        break;
      case BPF_JMP:
        if (operation == BPF_EXIT) return registers[0] != 0;
        if (operation != BPF_JA) FAIL("unknown jump " << operation);
        at += jump;
        break;
      default:
        FAIL("unknown class " << (now.code & 7));
    }
  }
}

bool reaches_everything(const std::vector<cgroups::BpfInstruction>& program) {
  std::vector<bool> is_reached(program.size() + 1);
  is_reached[0] = true;
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (!is_reached[i]) return false;
    const bool is_jump = (program[i].code & 7) == BPF_JMP || (program[i].code & 7) == BPF_JMP32;
    const bool ends = (program[i].code & 7) == BPF_JMP;
    if (is_jump && program[i].code != (BPF_JMP | BPF_EXIT)) {
      is_reached.at(i + 1 + static_cast<std::size_t>(program[i].offset)) = true;
    }
    if (!ends) is_reached[i + 1] = true;
  }
  return !is_reached[program.size()];
}

}  // namespace capsule::test
