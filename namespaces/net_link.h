// What the kernel says of a network device and of its addresses, and the requests that ask and change it.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "namespaces/netlink_message.h"
#include "runtime/base/result.h"

namespace capsule::ns {

struct Link {
  int index = 0;
  unsigned flags = 0;  // IFF_*
  std::string name;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] bool is_loopback() const;
};

struct Address {
  int index = 0;  // of the device that has it
  std::uint8_t family = 0;
  std::uint8_t prefix_length = 0;
  std::uint8_t scope = 0;
  std::uint32_t flags = 0;  // IFA_F_*
  std::string label;        // IPv4 alone; empty: none
  struct Carried {
    std::uint16_t type;
    std::string value;
  };
  std::vector<Carried>
      carried;  // attributes that are given back as they were: local, peer, broadcast, metric, …
};

//   fails   peer: too short, or without what every device and every address has
Result<Link> parse_link(const NetlinkMessage& message);
Result<Address> parse_address(const NetlinkMessage& message);

// config-linux.md#network-devices: all permanent addresses of global scope. Others come and go by themselves:
// link-local ones, those leased or advertised.
bool is_preserved(const Address& address);

// The label of an address after its device was renamed. One that begins with the device's name, as the tools
// for aliases ("eth0:1") demand, goes on to do so: the kernel would rename it just so. A name too long for
// the rest of the label is cut.
std::string label_after_rename(std::string_view label, std::string_view old_name, std::string_view new_name);

NetlinkRequest link_request(std::string_view name);
NetlinkRequest link_request(int index);
NetlinkRequest all_links_request();
// Into another namespace, under another name, in one request.
//   new_index   what the device's index will be there (Linux 5.13; before, the old one is kept if it is free)
NetlinkRequest move_request(int index, std::string_view name, int namespace_fd, int new_index);
NetlinkRequest up_request(int index);
NetlinkRequest addresses_request(int index);  // a kernel before 4.20 lists those of all devices
NetlinkRequest add_address_request(const Address& address, int index, std::string_view label);

}  // namespace capsule::ns
