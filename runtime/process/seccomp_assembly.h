// Tables of answers to instructions of classic BPF (linux/filter.h, seccomp(2)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/process/seccomp_tables.h"

namespace capsule::process {

// A program that answers as the tables do; calls of an architecture without a table kill the thread.
//   returns   bytes of struct sock_filter[]
std::string assemble(const std::vector<SeccompTable>& tables, std::uint32_t default_action);

}  // namespace capsule::process
