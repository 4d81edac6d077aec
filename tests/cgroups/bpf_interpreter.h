// As much of eBPF as device programs use. Anything else, and whatever the kernel's verifier would refuse in a
// jump, fails the test.
#pragma once

#include <cstdint>
#include <vector>

#include "cgroups/device_program.h"

namespace capsule::test {

struct DeviceRequest {   // struct bpf_cgroup_dev_ctx
  std::uint32_t type;    // BPF_DEVCG_DEV_*
  std::uint32_t access;  // BPF_DEVCG_ACC_*
  std::uint32_t major;
  std::uint32_t minor;
};

bool interpret(const std::vector<cgroups::BpfInstruction>& program, const DeviceRequest& request);

// The verifier refuses a program with an instruction that no path reaches.
bool reaches_everything(const std::vector<cgroups::BpfInstruction>& program);

}  // namespace capsule::test
