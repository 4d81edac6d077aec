// A seccomp profile to a program by libseccomp: slower by far, and knows every architecture and every kind of
// rules.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/process/seccomp_rules.h"

namespace capsule::process {

//   returns   bytes of struct sock_filter[]
//   fails     invalid_config: rules that contradict each other, an architecture of the other byte order
Result<std::string> compile_by_library(const SeccompProfile& profile);

}  // namespace capsule::process
