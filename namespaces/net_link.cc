#include "namespaces/net_link.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>

namespace capsule::ns {
namespace {

constexpr std::uint16_t kAsk = NLM_F_REQUEST | NLM_F_ACK;
constexpr std::uint16_t kDump = NLM_F_REQUEST | NLM_F_DUMP;
constexpr std::size_t kLongestName = IFNAMSIZ - 1;

// What an address is, apart from its flags and its label. IFA_CACHEINFO: how long it is preferred and valid.
constexpr std::array<std::uint16_t, 7> kCarried = {IFA_ADDRESS,   IFA_LOCAL,       IFA_BROADCAST, IFA_ANYCAST,
                                                   IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO};

// Those that a user sets; the others tell what the kernel found out (tentative, secondary, …).
constexpr std::uint32_t kSettableFlags = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |
                                         IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

Error incomplete(std::string_view what) {
  return Error::peer(std::string("the kernel's answer about ").append(what).append(" is not complete"));
}

ifinfomsg about_link(int index) {
  ifinfomsg about{};
  about.ifi_index = index;
  return about;
}

void note_attribute(Address& address, const NetlinkAttribute& attribute) {
  if (attribute.type == IFA_LABEL) {
    address.label = netlink_text(attribute.value);
  } else if (attribute.type == IFA_FLAGS) {
    address.flags = netlink_number(attribute.value).value_or(address.flags);
  } else if (std::find(kCarried.begin(), kCarried.end(), attribute.type) != kCarried.end()) {
    address.carried.push_back({attribute.type, std::string(attribute.value)});
  }
}

// Of a permanent IPv4 address the kernel says "preferred for ever" although it is deprecated: only the flag
// tells, and that is not for us to set.
void note_deprecated(Address& address) {
  if ((address.flags & IFA_F_DEPRECATED) == 0) return;
  for (Address::Carried& attribute : address.carried) {
    ifa_cacheinfo lifetimes{};
    if (attribute.type != IFA_CACHEINFO || attribute.value.size() != sizeof(lifetimes)) continue;
    std::memcpy(&lifetimes, attribute.value.data(), sizeof(lifetimes));
    lifetimes.ifa_prefered = 0;
    attribute.value = NetlinkRequest::bytes_of(lifetimes);
  }
}

}  // namespace

bool Link::is_up() const {
  return (flags & IFF_UP) != 0;
}
bool Link::is_loopback() const {
  return (flags & IFF_LOOPBACK) != 0;
}

Result<Link> parse_link(const NetlinkMessage& message) {
  std::string_view rest = message.body;
  const auto about = take_fixed<ifinfomsg>(rest);
  if (message.type != RTM_NEWLINK || !about.has_value() || about->ifi_index <= 0)
    return incomplete("a network device");
  Link link{about->ifi_index, about->ifi_flags, {}};
  for (const NetlinkAttribute& attribute : TRY(parse_netlink_attributes(rest))) {
    if (attribute.type == IFLA_IFNAME) link.name = netlink_text(attribute.value);
  }
  if (link.name.empty() || link.name.size() > kLongestName) return incomplete("a network device");
  return link;
}

Result<Address> parse_address(const NetlinkMessage& message) {
  std::string_view rest = message.body;
  const auto about = take_fixed<ifaddrmsg>(rest);
  if (message.type != RTM_NEWADDR || !about.has_value()) return incomplete("an address");
  Address address;
  address.index = static_cast<int>(about->ifa_index);
  address.family = about->ifa_family;
  address.prefix_length = about->ifa_prefixlen;
  address.scope = about->ifa_scope;
  address.flags = about->ifa_flags;
  for (const NetlinkAttribute& attribute : TRY(parse_netlink_attributes(rest)))
    note_attribute(address, attribute);
  note_deprecated(address);
  if (address.carried.empty()) return incomplete("an address");
  return address;
}

bool is_preserved(const Address& address) {
  return (address.flags & IFA_F_PERMANENT) != 0 && address.scope == RT_SCOPE_UNIVERSE;
}

std::string label_after_rename(std::string_view label, std::string_view old_name, std::string_view new_name) {
  if (!label.starts_with(old_name)) return std::string(label);
  const std::string_view rest = label.substr(old_name.size());
  return std::string(new_name.substr(0, kLongestName - std::min(rest.size(), kLongestName))).append(rest);
}

NetlinkRequest link_request(std::string_view name) {
  NetlinkRequest request(RTM_GETLINK, kAsk, about_link(0));
  request.add_text(IFLA_IFNAME, name).add_number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return request;
}

NetlinkRequest link_request(int index) {
  NetlinkRequest request(RTM_GETLINK, kAsk, about_link(index));
  request.add_number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return request;
}

NetlinkRequest all_links_request() {
  NetlinkRequest request(RTM_GETLINK, kDump, about_link(0));
  request.add_number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return request;
}

NetlinkRequest move_request(int index, std::string_view name, int namespace_fd, int new_index) {
  NetlinkRequest request(RTM_NEWLINK, kAsk, about_link(index));
  request.add_number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(namespace_fd))
      .add_text(IFLA_IFNAME, name)
      .add_number(IFLA_NEW_IFINDEX, static_cast<std::uint32_t>(new_index));
  return request;
}

NetlinkRequest up_request(int index) {
  ifinfomsg about = about_link(index);
  about.ifi_flags = IFF_UP;
  about.ifi_change = IFF_UP;
  return {RTM_NEWLINK, kAsk, about};
}

NetlinkRequest addresses_request(int index) {
  ifaddrmsg about{};
  about.ifa_index = static_cast<std::uint32_t>(index);
  return {RTM_GETADDR, kDump, about};
}

NetlinkRequest add_address_request(const Address& address, int index, std::string_view label) {
  ifaddrmsg about{};
  about.ifa_family = address.family;
  about.ifa_prefixlen = address.prefix_length;
  about.ifa_scope = address.scope;
  about.ifa_index = static_cast<std::uint32_t>(index);
  NetlinkRequest request(RTM_NEWADDR, kAsk | NLM_F_CREATE | NLM_F_EXCL, about);
  for (const Address::Carried& attribute : address.carried)
    request.add(attribute.type, attribute.value);
  request.add_number(IFA_FLAGS, address.flags & kSettableFlags);
  if (!label.empty()) request.add_text(IFA_LABEL, label);
  return request;
}

}  // namespace capsule::ns
