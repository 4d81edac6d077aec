#include "runtime/process/seccomp_names.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <array>

#include "runtime/base/fixed_text.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr std::uint32_t kHighestErrno = 4094;       // libseccomp wants less than MAX_ERRNO
constexpr std::uint32_t kHighestTraceData = 65535;  // SECCOMP_RET_DATA

constexpr auto kActions = std::to_array({
    Named<SeccompAction>{"SCMP_ACT_KILL", {SCMP_ACT_KILL}},
    Named<SeccompAction>{"SCMP_ACT_KILL_PROCESS", {SCMP_ACT_KILL_PROCESS}},
    Named<SeccompAction>{"SCMP_ACT_KILL_THREAD", {SCMP_ACT_KILL_THREAD}},
    Named<SeccompAction>{"SCMP_ACT_TRAP", {SCMP_ACT_TRAP}},
    Named<SeccompAction>{"SCMP_ACT_ERRNO", {SCMP_ACT_ERRNO(0), kHighestErrno}},
    Named<SeccompAction>{"SCMP_ACT_TRACE", {SCMP_ACT_TRACE(0), kHighestTraceData}},
    Named<SeccompAction>{"SCMP_ACT_ALLOW", {SCMP_ACT_ALLOW}},
    Named<SeccompAction>{"SCMP_ACT_LOG", {SCMP_ACT_LOG}},
    Named<SeccompAction>{"SCMP_ACT_NOTIFY", {SCMP_ACT_NOTIFY}},
});

constexpr auto kOperators = std::to_array({
    Named<int>{"SCMP_CMP_NE", SCMP_CMP_NE},
    Named<int>{"SCMP_CMP_LT", SCMP_CMP_LT},
    Named<int>{"SCMP_CMP_LE", SCMP_CMP_LE},
    Named<int>{"SCMP_CMP_EQ", SCMP_CMP_EQ},
    Named<int>{"SCMP_CMP_GE", SCMP_CMP_GE},
    Named<int>{"SCMP_CMP_GT", SCMP_CMP_GT},
    Named<int>{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
});

constexpr auto kFlags = std::to_array({
    // The filter is installed by a process of one thread: there is nobody to synchronise, and with a listener
    // the kernel would refuse it.
    Named<std::uint64_t>{"SECCOMP_FILTER_FLAG_TSYNC", 0},
    Named<std::uint64_t>{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    Named<std::uint64_t>{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    Named<std::uint64_t>{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
});

constexpr std::string_view kArchitecturePrefix = "SCMP_ARCH_";
constexpr std::array<FixedText<23>, 23> kArchitectures = {
    "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB",
};

// 0: this libseccomp is too old for it.
std::uint32_t token_of(std::string_view name) {
  return seccomp_arch_resolve_name(to_lower(name.substr(kArchitecturePrefix.size())).c_str());
}

template <class Value, std::size_t N>
std::optional<Value> value_of(const std::array<Named<Value>, N>& table, std::string_view name) {
  const Named<Value>* found = find_named(table, name);
  if (found == nullptr) return std::nullopt;
  return found->value;
}

}  // namespace

std::optional<SeccompAction> find_seccomp_action(std::string_view name) {
  return value_of(kActions, name);
}
std::optional<int> find_seccomp_operator(std::string_view name) {
  return value_of(kOperators, name);
}
std::optional<std::uint64_t> find_seccomp_flag(std::string_view name) {
  return value_of(kFlags, name);
}

Result<std::uint32_t> parse_seccomp_architecture(std::string_view name, std::string_view field) {
  if (std::find(kArchitectures.begin(), kArchitectures.end(), name) == kArchitectures.end()) {
    return Error::invalid_config(field, cat({"unknown seccomp architecture ", quoted(name)}));
  }
  const std::uint32_t token = token_of(name);
  if (token == 0) {
    return Error::invalid_config(field,
                                 cat({name, " is not known to libseccomp ", seccomp_library_version()}));
  }
  return token;
}

bool has_wide_arguments(std::uint32_t token) {
  return token == SCMP_ARCH_X86_64 || token == SCMP_ARCH_AARCH64;
}

std::string pointer_to(std::string_view field, std::string_view member, std::size_t index) {
  return cat({field, "/", member, "/", std::to_string(index)});
}

std::string seccomp_library_version() {
  const scmp_version* version = seccomp_version();
  return cat({std::to_string(version->major), ".", std::to_string(version->minor), ".",
              std::to_string(version->micro)});
}

SeccompNames known_seccomp_names() {
  SeccompNames names;
  names.actions = names_of(kActions);
  names.operators = names_of(kOperators);
  for (const std::string_view name : kArchitectures) {
    if (token_of(name) != 0) names.archs.emplace_back(name);
  }
  names.known_flags = names_of(kFlags);
  names.library_version = seccomp_library_version();
  return names;
}

std::vector<std::string> probe_seccomp_flags() {
  std::vector<std::string> taken;
  for (const auto& flag : kFlags) {
    const bool needs_listener = flag.value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    const std::uint64_t asked_with = needs_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    if (sys::seccomp_takes_flags(static_cast<unsigned>(flag.value | asked_with)))
      taken.emplace_back(flag.name);
  }
  return taken;
}

}  // namespace capsule::process
