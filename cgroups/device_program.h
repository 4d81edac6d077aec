// Device rules to an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

struct BpfInstruction {  // struct bpf_insn
  std::uint8_t code = 0;
  std::uint8_t registers = 0;  // dst | src << 4
  std::int16_t offset = 0;
  std::int32_t immediate = 0;
};

struct DeviceProgram {
  std::vector<BpfInstruction> instructions;
  bool allows_everything = false;  // then nothing needs to be attached
};

// The rules of config.json followed by the devices every container needs (null, zero, full, tty, random,
// urandom, console, ptmx, pts, tun; mknod of any). The last rule that matches wins; nothing is allowed that
// no rule allows (R16), also without any rule. device_policy.h says what matches.
//   fails   invalid_config with the pointer /linux/resources/devices/N/…
Result<DeviceProgram> plan_device_program(const std::vector<spec::DeviceRule>& rules);

// One instruction a line, as `bpftool prog dump xlated` spells them, for tests and `capsule plan`.
std::string describe_device_program(const DeviceProgram& program);

// Loads and attaches it to `cgroup`, replacing whatever program we attached before in one step. If everything
// is allowed, what was attached goes.
//   fails   system; its code is EPERM in a user namespace, where a caller may go on without: devices cannot
//   be made there anyway source  bpf(2); the attribute is always passed at its full size (a kernel 6.17-7.1
//   query writes past a short one)
Status apply_device_program(const DeviceProgram& program, FdRef cgroup);

}  // namespace capsule::cgroups
