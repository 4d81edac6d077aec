// "Not implemented" for system calls that are newer than a seccomp profile.
#pragma once

#include <string>

#include "runtime/process/seccomp_rules.h"

namespace capsule::process {

// Instructions to put before a filter: system calls numbered above the highest that the rules name, per
// architecture, return ENOSYS; everything else falls through. Programs fall back to older calls on ENOSYS but
// take the usual EPERM of a profile for a final answer (clone3, faccessat2).
//   returns   bytes of struct sock_filter[], empty if the rules name nothing
std::string enosys_prefix(const SeccompProfile& profile);

}  // namespace capsule::process
