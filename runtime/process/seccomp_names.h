// The names of config-linux.md#seccomp beside libseccomp's and the kernel's numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace capsule::process {

inline constexpr std::string_view kSeccompField = "/linux/seccomp";
inline constexpr std::uint32_t kX32Bit =
    0x40000000;  // __X32_SYSCALL_BIT: x32 shares x86-64's architecture number

struct SeccompAction {
  std::uint32_t code;              // SCMP_ACT_*, data bits 0
  std::uint32_t highest_data = 0;  // of errnoRet; 0: the action takes none
};

std::optional<SeccompAction> find_seccomp_action(std::string_view name);
std::optional<int> find_seccomp_operator(std::string_view name);  // enum scmp_compare
// The bits for seccomp(2); 0 for a flag that is accepted and changes nothing.
std::optional<std::uint64_t> find_seccomp_flag(std::string_view name);
// libseccomp's token.
//   fails   invalid_config at `field`: not a name of the specification, or one that this libseccomp lacks
Result<std::uint32_t> parse_seccomp_architecture(std::string_view name, std::string_view field);

// Whether arguments have 64 bits on the architecture of that token, one of those that tabulate() knows.
bool has_wide_arguments(std::uint32_t token);
// "/linux/seccomp/syscalls/0"
std::string pointer_to(std::string_view field, std::string_view member, std::size_t index);

std::string seccomp_library_version();  // "2.5.4"

}  // namespace capsule::process
