// plan_unified in parts: each turns one object of /linux/resources into lines. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/plan.h"
#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

using Writes = std::vector<Write>;

void plan_cpuset(const spec::Cpu& cpu, Writes& writes);
void plan_cpu(const spec::Cpu& cpu, Writes& writes);
Status plan_memory(const spec::Memory& memory, Writes& writes);
void plan_pids(const spec::Pids& pids, Writes& writes);
Status plan_block_io(const spec::BlockIo& block_io, Writes& writes);
Status plan_hugepages(const std::vector<spec::HugepageLimit>& limits, Writes& writes);
void plan_rdma(const std::map<std::string, spec::Rdma>& devices, Writes& writes);
Status plan_raw(const std::map<std::string, std::string>& unified, Writes& writes);

// One token of a JSON pointer: "a/b" -> "a~1b" (RFC 6901).
std::string pointer_token(std::string_view text);

}  // namespace capsule::cgroups
