// Runs a seccomp program as the kernel would: classic BPF over struct seccomp_data, only the instructions
// that seccomp_check_filter lets in and that our programs use.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace capsule::test {

struct Instruction {
  sock_filter code;

  [[nodiscard]] bool is_jump() const { return BPF_CLASS(code.code) == BPF_JMP; }
  [[nodiscard]] bool is_return() const { return code.code == (BPF_RET | BPF_K); }

  [[nodiscard]] std::uint32_t jump_distance(std::uint32_t a) const {
    bool taken = false;
    switch (BPF_OP(code.code)) {
      case BPF_JA:
        return code.k;
      case BPF_JEQ:
        taken = a == code.k;
        break;
      case BPF_JGT:
        taken = a > code.k;
        break;
      case BPF_JGE:
        taken = a >= code.k;
        break;
      default:
        taken = (a & code.k) != 0;
        break;  // BPF_JSET
    }
    return taken ? code.jt : code.jf;
  }
};

// What the program returns; nullopt: it runs out of its end, reads outside the data, or has an instruction
// not known here.
inline std::optional<std::uint32_t> run_filter(std::string_view program, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; (at + 1) * sizeof(sock_filter) <= program.size(); ++at) {
    Instruction step{};
    std::memcpy(&step.code, program.data() + at * sizeof(sock_filter), sizeof(sock_filter));
    if (step.is_return()) return step.code.k;
    if (step.is_jump()) {
      at += step.jump_distance(a);
    } else if (step.code.code == (BPF_ALU | BPF_AND | BPF_K)) {
      a &= step.code.k;
    } else if (step.code.code == (BPF_LD | BPF_W | BPF_ABS) && step.code.k % 4 == 0 &&
               step.code.k < sizeof(data)) {
      std::memcpy(&a, reinterpret_cast<const char*>(&data) + step.code.k, sizeof(a));
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace capsule::test
