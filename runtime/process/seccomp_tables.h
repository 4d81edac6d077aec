// What a seccomp profile answers, call by call: names and rules become one table for each architecture.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/process/seccomp_rules.h"

namespace capsule::process {

struct SeccompAnswer {
  SeccompCondition condition;  // empty: always
  std::uint32_t action;
};

// Any that holds; at most one action can be true of a call. None: the default action.
using SeccompAnswers = std::vector<SeccompAnswer>;

struct SeccompCall {
  std::uint32_t number;
  SeccompAnswers answers;
};

struct SeccompTable {
  std::uint32_t token;             // libseccomp's
  std::vector<SeccompCall> calls;  // by number
};

// In the order of profile.architectures. nullopt: the profile is for an architecture, or has rules that
// overlap, of which only libseccomp can say what they mean.
std::optional<std::vector<SeccompTable>> tabulate(const SeccompProfile& profile);

}  // namespace capsule::process
