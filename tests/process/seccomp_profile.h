// Asks a compiled profile what it would answer to a system call, by name and architecture.
#pragma once

#include <linux/audit.h>
#include <seccomp.h>

#include <array>
#include <string>

#include "runtime/process/plan.h"
#include "tests/process/bpf.h"
#include "tests/support/catch.h"

namespace capsule::test {

using Arguments = std::array<std::uint64_t, 6>;

inline constexpr std::uint32_t kNoInstruction = 0xdeadbeef;  // no seccomp verdict has this value

inline std::uint32_t kernel_architecture(std::uint32_t token) {
  return token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : token;
}

inline std::uint32_t number_of(std::uint32_t token, const char* name) {
  const int number = seccomp_syscall_resolve_name_arch(token, name);
  INFO(name);
  REQUIRE(number >= 0);
  return static_cast<std::uint32_t>(number);
}

inline std::uint32_t verdict(std::string_view filter,
                             std::uint32_t architecture,
                             std::uint32_t number,
                             const Arguments& arguments = {}) {
  seccomp_data data{};
  data.arch = architecture;
  data.nr = static_cast<int>(number);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    data.args[i] = arguments.at(i);
  return run_filter(filter, data).value_or(kNoInstruction);
}

inline std::uint32_t verdict_of(std::string_view filter,
                                std::uint32_t token,
                                const char* name,
                                const Arguments& arguments = {}) {
  return verdict(filter, kernel_architecture(token), number_of(token, name), arguments);
}

inline spec::Seccomp allow_except(std::vector<std::string> names,
                                  std::string action,
                                  std::optional<std::uint32_t> errno_ret = {}) {
  return {.default_action = "SCMP_ACT_ALLOW",
          .syscalls = {{.names = std::move(names), .action = std::move(action), .errno_ret = errno_ret}}};
}

inline process::SeccompProgram compiled(const spec::Seccomp& seccomp) {
  Result<process::SeccompProgram> program = process::plan_seccomp(seccomp);
  if (!program.has_value()) FAIL(program.error().message());
  return std::move(program).value();
}

inline std::string refusal(const spec::Seccomp& seccomp) {
  const Result<process::SeccompProgram> program = process::plan_seccomp(seccomp);
  if (program.has_value()) return "";
  CHECK(program.error().kind() == ErrorKind::invalid_config);
  return program.error().message();
}

}  // namespace capsule::test
