#include <linux/bpf.h>

#include <array>
#include <string_view>

#include "cgroups/device_program.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

struct Spelling {
  int operation;
  std::string_view text;
};

constexpr auto kAssignments =
    std::to_array({Spelling{BPF_MOV, " = "}, Spelling{BPF_AND, " &= "}, Spelling{BPF_OR, " |= "},
                   Spelling{BPF_LSH, " <<= "}, Spelling{BPF_RSH, " >>= "}});
constexpr auto kComparisons =
    std::to_array({Spelling{BPF_JEQ, " == "}, Spelling{BPF_JNE, " != "}, Spelling{BPF_JSET, " & "}});

template <class Table>
std::string_view spell(const Table& table, int operation) {
  for (const Spelling& entry : table) {
    if (entry.operation == operation) return entry.text;
  }
  return " ? ";
}

std::string spell_register(char width, int number) {
  return cat({std::string_view(&width, 1), std::to_string(number)});
}

std::string spell_hex(std::int32_t immediate) {
  std::array<char, 8> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::uint32_t>(immediate), 16)
          .ptr;
  return cat({"0x", std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))});
}

std::string describe(const BpfInstruction& instruction) {
  const int destination = instruction.registers & 0xF;
  const int source = instruction.registers >> 4;
  const int operation = instruction.code & 0xF0;
  const std::string left = spell_register('w', destination);
  const bool has_register = (instruction.code & BPF_X) != 0;
  const std::string right = has_register ? spell_register('w', source) : spell_hex(instruction.immediate);
  const std::string target = cat({"+", std::to_string(instruction.offset)});

  switch (instruction.code & 0x07) {
    case BPF_LDX:
      return cat({spell_register('r', destination), " = *(u32 *)(", spell_register('r', source), " +",
                  std::to_string(instruction.offset), ")"});
    case BPF_ALU:
      return cat({left, spell(kAssignments, operation), right});
    case BPF_JMP32:
      return cat({"if ", left, spell(kComparisons, operation), right, " goto ", target});
    default:
      return operation == BPF_EXIT ? "exit" : cat({"goto ", target});
  }
}

}  // namespace

std::string describe_device_program(const DeviceProgram& program) {
  if (program.allows_everything) return "everything is allowed\n";
  std::string text;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    text.append(cat({std::to_string(i), ": ", describe(program.instructions[i]), "\n"}));
  }
  return text;
}

}  // namespace capsule::cgroups
