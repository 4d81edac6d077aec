// A seccomp profile whose names are numbers: what the compilers of this folder begin with.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::process {

using SeccompCondition = std::vector<scmp_arg_cmp>;  // all comparisons hold

struct SeccompRule {
  const std::vector<std::string>* names;
  std::uint32_t action;
  std::vector<SeccompCondition>
      conditions;  // one of them holds; never empty, the empty condition always holds
  std::string field;
};

struct SeccompProfile {
  std::uint32_t default_action;
  std::vector<std::uint32_t> architectures;  // libseccomp's tokens, the native one first
  std::vector<SeccompRule> rules;
  // For each architecture the numbers of the rules' names, of all rules in a row: a good part of what a
  // profile costs is asking for them, so it is done once. Negative: unknown, or not on this architecture.
  std::vector<std::vector<int>> numbers;
};

// Without the numbers. `seccomp` must outlive the result.
//   fails   invalid_config at the JSON pointer of a name or number that means nothing
Result<SeccompProfile> parse_seccomp_profile(const spec::Seccomp& seccomp);

void find_numbers(SeccompProfile& profile);

}  // namespace capsule::process
