// Which network devices move into the container (config-linux.md#network-devices). Where and when is a matter
// of the conversation: init waits while the host side moves them.
#include "namespaces/lexical.h"
#include "namespaces/plan.h"
#include "runtime/plan/protocol.h"

namespace capsule::ns {

Result<std::vector<NetDeviceMove>> plan_net_devices(const spec::Spec& spec, const HostFacts& host) {
  std::vector<NetDeviceMove> moves;
  for (const auto& [host_name, device] : linux_of(spec).net_devices) {
    moves.push_back({.host_name = host_name,
                     .name = device.name.value_or(host_name),
                     .field = member_pointer("/linux/netDevices", host_name)});
  }
  if (!moves.empty() && !host.privileged) {
    return Error::unsupported(
        "/linux/netDevices: network devices are not supported for rootless containers: moving one takes "
        "CAP_NET_ADMIN over the network it leaves");
  }
  return moves;
}

void plan_net_device_steps(const std::vector<NetDeviceMove>& moves, plan::Builder& builder) {
  if (moves.empty()) return;
  using protocol::Line;
  builder.add("/linux/netDevices", plan::Say{.line = static_cast<std::uint64_t>(Line::namespaces_ready)});
  builder.add("/linux/netDevices", plan::Expect{.line = static_cast<std::uint64_t>(Line::network_ready)});
}

}  // namespace capsule::ns
