#include "namespaces/net_link.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using namespace std::string_literals;

NetlinkMessage message_of(const std::string& bytes) {
  const auto messages = parse_netlink_datagram(bytes);
  REQUIRE(messages.has_value());
  REQUIRE(messages.value().size() == 1);
  return messages.value().front();
}

std::string link_answer(int index, unsigned flags, std::string_view name) {
  ifinfomsg about{};
  about.ifi_index = index;
  about.ifi_flags = flags;
  NetlinkRequest answer(RTM_NEWLINK, 0, about);
  return answer.add_number(IFLA_MTU, 1500).add_text(IFLA_IFNAME, name).finish(1);
}

NetlinkRequest address_answer(std::uint8_t family, std::uint8_t scope) {
  ifaddrmsg about{};
  about.ifa_family = family;
  about.ifa_prefixlen = 24;
  about.ifa_flags = IFA_F_PERMANENT;
  about.ifa_scope = scope;
  about.ifa_index = 4;
  return {RTM_NEWADDR, 0, about};
}

Address address_of(const NetlinkRequest& answer) {
  const std::string bytes = answer.finish(1);
  const Result<Address> address = parse_address(message_of(bytes));
  REQUIRE(address.has_value());
  return address.value();
}

const std::string* carried(const Address& address, std::uint16_t type) {
  for (const Address::Carried& attribute : address.carried) {
    if (attribute.type == type) return &attribute.value;
  }
  return nullptr;
}

TEST_CASE("a device is its index, its flags and its name", "[namespaces][netdevices]") {
  const std::string answer = link_answer(7, IFF_UP | IFF_LOOPBACK, "eth0");
  const Result<Link> link = parse_link(message_of(answer));
  REQUIRE(link.has_value());
  CHECK(link.value().index == 7);
  CHECK(link.value().name == "eth0");
  CHECK(link.value().is_up());
  CHECK(link.value().is_loopback());
}

TEST_CASE("a device without a number or a name that could be one is refused", "[namespaces][netdevices]") {
  for (const std::string& answer : {link_answer(0, 0, "eth0"), link_answer(-1, 0, "eth0"),
                                    link_answer(7, 0, ""), link_answer(7, 0, "longer-than-any-name"),
                                    NetlinkRequest(RTM_NEWLINK, 0, std::string_view()).finish(1),
                                    NetlinkRequest(RTM_NEWADDR, 0, ifinfomsg{}).finish(1)}) {
    const Result<Link> link = parse_link(message_of(answer));
    REQUIRE_FALSE(link.has_value());
    CHECK(link.error().message() == "the kernel's answer about a network device is not complete");
  }
}

TEST_CASE("an address keeps every attribute that makes it what it is", "[namespaces][netdevices]") {
  NetlinkRequest answer = address_answer(AF_INET, RT_SCOPE_UNIVERSE);
  answer.add(IFA_ADDRESS, "\xc6\x33\x64\x09")
      .add(IFA_LOCAL, "\xc6\x33\x64\x07")
      .add(IFA_BROADCAST, "\xc6\x33\x64\xff")
      .add_text(IFA_LABEL, "eth0:web")
      .add_number(IFA_FLAGS, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE | IFA_F_SECONDARY)
      .add_number(IFA_RT_PRIORITY, 77);
  const Address address = address_of(answer);
  CHECK(address.index == 4);
  CHECK(is_preserved(address));

  const std::string request = add_address_request(address, 9, "net0:web").finish(1);
  const NetlinkMessage message = message_of(request);
  CHECK(message.type == RTM_NEWADDR);
  CHECK(message.flags == (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL));
  const Address again = parse_address(message).value();
  CHECK(again.index == 9);
  CHECK(again.prefix_length == 24);
  CHECK(again.label == "net0:web");
  CHECK(again.flags == IFA_F_NOPREFIXROUTE);  // permanent and secondary are what the kernel makes of it
  CHECK(*carried(again, IFA_ADDRESS) == "\xc6\x33\x64\x09");
  CHECK(*carried(again, IFA_LOCAL) == "\xc6\x33\x64\x07");
  CHECK(*carried(again, IFA_BROADCAST) == "\xc6\x33\x64\xff");
  CHECK(netlink_number(*carried(again, IFA_RT_PRIORITY)) == 77);
}

TEST_CASE("a deprecated address is deprecated again, though the kernel calls it preferred for ever",
          "[namespaces][netdevices]") {
  NetlinkRequest answer = address_answer(AF_INET, RT_SCOPE_UNIVERSE);
  answer.add(IFA_LOCAL, "\1\2\3\4")
      .add(IFA_CACHEINFO, NetlinkRequest::bytes_of(ifa_cacheinfo{0xffffffff, 0xffffffff, 1, 2}))
      .add_number(IFA_FLAGS, IFA_F_PERMANENT | IFA_F_DEPRECATED);

  const Address address = address_of(answer);
  const std::string* lifetimes = carried(address, IFA_CACHEINFO);
  REQUIRE(lifetimes != nullptr);
  CHECK(*lifetimes == NetlinkRequest::bytes_of(ifa_cacheinfo{0, 0xffffffff, 1, 2}));
}

TEST_CASE("only permanent addresses of global scope are preserved", "[namespaces][netdevices]") {
  const auto with = [](std::uint8_t scope, std::uint32_t flags) {
    NetlinkRequest answer = address_answer(AF_INET6, scope);
    return address_of(answer.add(IFA_ADDRESS, "0123456789abcdef").add_number(IFA_FLAGS, flags));
  };
  CHECK(is_preserved(with(RT_SCOPE_UNIVERSE, IFA_F_PERMANENT)));
  CHECK(is_preserved(with(RT_SCOPE_UNIVERSE, IFA_F_PERMANENT | IFA_F_TENTATIVE)));
  CHECK_FALSE(is_preserved(with(RT_SCOPE_LINK, IFA_F_PERMANENT)));
  CHECK_FALSE(is_preserved(with(RT_SCOPE_HOST, IFA_F_PERMANENT)));
  CHECK_FALSE(is_preserved(with(RT_SCOPE_UNIVERSE, IFA_F_TEMPORARY)));
}

TEST_CASE("an address that says nothing of itself is refused", "[namespaces][netdevices]") {
  const std::string empty = address_answer(AF_INET, RT_SCOPE_UNIVERSE).finish(1);
  CHECK_FALSE(parse_address(message_of(empty)).has_value());
  const std::string cut = NetlinkRequest(RTM_NEWADDR, 0, std::string_view("abc")).finish(1);
  CHECK_FALSE(parse_address(message_of(cut)).has_value());
}

TEST_CASE("a label follows the name that it begins with", "[namespaces][netdevices]") {
  struct Case {
    const char *label, *name, *expected, *because;
  };
  for (const Case& c : {
           Case{"eth0", "net0", "net0", "the default label is the name"},
           Case{"eth0:web", "net0", "net0:web", "an alias"},
           Case{"eth0:web", "eth0", "eth0:web", "not renamed"},
           Case{"other", "net0", "other", "it never had to do with the name"},
           Case{"", "net0", "", "IPv6 has none"},
           Case{"eth0:web", "abcdefghijklmno", "abcdefghijk:web", "15 bytes are all a label has"},
           Case{"eth0", "abcdefghijklmno", "abcdefghijklmno", "and a name too"},
           Case{"eth0:1234567890", "net0", "net0:1234567890", "just fits"},
       }) {
    INFO(c.because);
    CHECK(label_after_rename(c.label, "eth0", c.name) == c.expected);
  }
}

TEST_CASE("moving, renaming and numbering are one request", "[namespaces][netdevices]") {
  const std::string bytes = move_request(4, "net%d", 9, 12).finish(1);
  const NetlinkMessage message = message_of(bytes);
  CHECK(message.type == RTM_NEWLINK);
  std::string_view rest = message.body;
  CHECK(take_fixed<ifinfomsg>(rest)->ifi_index == 4);
  const auto attributes = parse_netlink_attributes(rest).value();
  REQUIRE(attributes.size() == 3);
  CHECK((attributes[0].type == IFLA_NET_NS_FD && netlink_number(attributes[0].value) == 9));
  CHECK((attributes[1].type == IFLA_IFNAME && attributes[1].value == "net%d\0"s));
  CHECK((attributes[2].type == IFLA_NEW_IFINDEX && netlink_number(attributes[2].value) == 12));
}

TEST_CASE("setting a device up changes that flag alone", "[namespaces][netdevices]") {
  const std::string bytes = up_request(4).finish(1);
  std::string_view rest = message_of(bytes).body;
  const auto about = take_fixed<ifinfomsg>(rest);
  REQUIRE(about.has_value());
  CHECK(about->ifi_flags == IFF_UP);
  CHECK(about->ifi_change == IFF_UP);
  CHECK(rest.empty());
}

}  // namespace
}  // namespace capsule::ns
