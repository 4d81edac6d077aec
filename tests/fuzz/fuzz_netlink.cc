// A datagram of the routing socket: whatever is accepted lies inside of it, and an address that is read can
// be written and read again as the same one.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "namespaces/net_link.h"

namespace {

using namespace capsule::ns;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void require_inside(std::string_view part, std::string_view whole) {
  require(part.empty() ||
          (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

void try_as_address(const NetlinkMessage& message) {
  const auto address = parse_address(message);
  if (!address.has_value()) return;
  const Address& first = address.value();
  const std::string bytes = add_address_request(first, first.index, first.label).finish(1);
  const auto messages = parse_netlink_datagram(bytes);
  require(messages.has_value() && messages.value().size() == 1);
  const auto again = parse_address(messages.value().front());
  require(again.has_value() && again.value().label == first.label);
  require(again.value().prefix_length == first.prefix_length && again.value().family == first.family);
  require(again.value().carried.size() == first.carried.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view datagram(reinterpret_cast<const char*>(data), size);
  const auto messages = parse_netlink_datagram(datagram);
  if (!messages.has_value()) return 0;
  for (const NetlinkMessage& message : messages.value()) {
    require_inside(message.body, datagram);
    const auto link = parse_link(message);
    if (link.has_value()) require(link.value().index > 0 && link.value().name.size() < 16);
    const auto end = parse_netlink_end(message);
    if (end.has_value()) require(end.value().err >= 0 && end.value().words.size() < size);
    try_as_address(message);
  }
  return 0;
}
