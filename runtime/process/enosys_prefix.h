// "Not implemented" for system calls that are newer than a seccomp profile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spec/spec.h"

namespace capsule::process {

// Instructions to put before a filter: system calls numbered above the highest that `rules` name, per
// architecture, return ENOSYS; everything else falls through. Programs fall back to older calls on ENOSYS but
// take the usual EPERM of a profile for a final answer (clone3, faccessat2).
//   architectures   libseccomp's tokens, those the filter was built for
//   returns         bytes of struct sock_filter[], empty if the rules name nothing
std::string enosys_prefix(const std::vector<spec::SyscallRule>& rules,
                          const std::vector<std::uint32_t>& architectures);

}  // namespace capsule::process
