#include "namespaces/netlink_message.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using namespace std::string_literals;

// "12 00 ff": what goes over the wire, as a little-endian machine writes it.
std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(c);
    if (!text.empty()) text += ' ';
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

NetlinkMessage only_message(std::string_view datagram) {
  const Result<std::vector<NetlinkMessage>> messages = parse_netlink_datagram(datagram);
  REQUIRE(messages.has_value());
  REQUIRE(messages.value().size() == 1);
  return messages.value().front();
}

// NLMSG_ERROR with the failed request behind it, and the kernel's reason behind that.
std::string refusal(int err, std::uint16_t flags, std::string_view request_body, const char* reason) {
  NetlinkRequest message(NLMSG_ERROR, flags, std::int32_t{-err});
  nlmsghdr request{};
  request.nlmsg_len = static_cast<std::uint32_t>(sizeof(request) + request_body.size());
  std::string bytes = message.finish(1).append(NetlinkRequest::bytes_of(request)).append(request_body);
  nlattr attribute{static_cast<std::uint16_t>(sizeof(nlattr) + std::strlen(reason) + 1), NLMSGERR_ATTR_MSG};
  bytes.append(NetlinkRequest::bytes_of(attribute)).append(reason, std::strlen(reason) + 1);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bytes;
}

TEST_CASE("a request is written as the kernel reads it", "[namespaces][netlink]") {
  NetlinkRequest request(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, std::uint32_t{0x01020304});
  request.add_text(IFLA_IFNAME, "net0").add_number(IFLA_NET_NS_FD, 7);

  CHECK(hex(request.finish(5)) ==
        "28 00 00 00 10 00 05 00 05 00 00 00 00 00 00 00 "  // length, type, flags, number, sender
        "04 03 02 01 "                                      // the fixed part
        "09 00 03 00 6e 65 74 30 00 00 00 00 "              // name: 4 + 5 bytes, padded
        "08 00 1c 00 07 00 00 00");                         // descriptor
}

TEST_CASE("what is written can be read", "[namespaces][netlink]") {
  NetlinkRequest request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, std::uint8_t{9});
  request.add(1, "abc").add(2, "").add_number(3, 4);
  const std::string bytes = request.finish(77);

  const NetlinkMessage message = only_message(bytes);
  CHECK(message.type == RTM_GETLINK);
  CHECK(message.sequence == 77);
  std::string_view rest = message.body;
  CHECK(take_fixed<std::uint8_t>(rest) == 9);
  const auto attributes = parse_netlink_attributes(rest);
  REQUIRE(attributes.has_value());
  REQUIRE(attributes.value().size() == 3);
  CHECK(attributes.value()[0].value == "abc");
  CHECK(attributes.value()[1].value.empty());
  CHECK(netlink_number(attributes.value()[2].value) == 4);
}

TEST_CASE("a datagram may hold several messages", "[namespaces][netlink]") {
  const std::string one = NetlinkRequest(RTM_NEWADDR, 0, std::uint8_t{1}).finish(1);
  const auto messages = parse_netlink_datagram(one + one + one);
  REQUIRE(messages.has_value());
  CHECK(messages.value().size() == 3);
  CHECK(parse_netlink_datagram("").value().empty());
}

TEST_CASE("a length that leads out of the datagram is refused", "[namespaces][netlink]") {
  NetlinkRequest request(RTM_NEWLINK, 0, std::uint32_t{0});
  const std::string whole = request.add_text(IFLA_IFNAME, "eth0").finish(1);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    INFO("cut at " << size);
    CHECK_FALSE(parse_netlink_datagram(whole.substr(0, size)).has_value());
  }
  for (const std::uint32_t length : {0U, 1U, 15U, 41U, 0xffffffffU}) {
    INFO("length " << length);
    std::string bytes = whole;
    std::memcpy(bytes.data(), &length, sizeof(length));
    CHECK_FALSE(parse_netlink_datagram(bytes).has_value());
  }
}

TEST_CASE("an attribute that is longer than what is there, or than itself, is refused",
          "[namespaces][netlink]") {
  for (const std::string& bytes :
       {"\x08\0\3\0abc"s, "\x03\0\3\0"s, "\0\0\3\0"s, "\x08"s, "\xff\xff\3\0abcd"s}) {
    INFO(hex(bytes));
    const auto parsed = parse_netlink_attributes(bytes);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message() == "the kernel's answer about network devices is cut short");
  }
  CHECK(parse_netlink_attributes("\x07\0\3\0abc"s).has_value());  // the last one need not be padded
}

TEST_CASE("the flags in an attribute's type are not part of it", "[namespaces][netlink]") {
  const auto parsed = parse_netlink_attributes("\x04\0\x12\x80"s);
  REQUIRE(parsed.has_value());
  CHECK(parsed.value().front().type == 0x12);
}

TEST_CASE("a refusal brings the kernel's reason, behind the request or its header alone",
          "[namespaces][netlink]") {
  struct Case {
    std::string bytes;
    int err;
    const char* words;
    const char* because;
  };
  const std::string body(24, 'x');
  for (const Case& c : {
           Case{refusal(EINVAL, NLM_F_ACK_TLVS, body, "no such mode"), EINVAL, "no such mode",
                "whole request"},
           Case{refusal(EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED, "", "no"), EINVAL, "no", "header alone"},
           Case{refusal(EPERM, 0, body, "no"), EPERM, "", "no attributes announced"},
           Case{NetlinkRequest(NLMSG_ERROR, 0, std::int32_t{0}).finish(1), 0, "", "an acknowledgement"},
           Case{NetlinkRequest(NLMSG_ERROR, NLM_F_ACK_TLVS, std::int32_t{-EPERM}).finish(1), EPERM, "",
                "cut"},
           Case{NetlinkRequest(NLMSG_DONE, 0, std::int32_t{0}).finish(1), 0, "", "end of a dump"},
           Case{NetlinkRequest(NLMSG_DONE, 0, std::string_view()).finish(1), 0, "", "of an older kernel"},
           Case{NetlinkRequest(NLMSG_DONE, 0, std::int32_t{-EBUSY}).finish(1), EBUSY, "",
                "a dump that failed"},
       }) {
    INFO(c.because);
    const Result<NetlinkEnd> end = parse_netlink_end(only_message(c.bytes));
    REQUIRE(end.has_value());
    CHECK(end.value().err == c.err);
    CHECK(end.value().words == c.words);
  }
}

TEST_CASE("an error number that is none is refused", "[namespaces][netlink]") {
  for (const std::int32_t number : {1, -4096, INT32_MIN})
    CHECK_FALSE(
        parse_netlink_end(only_message(NetlinkRequest(NLMSG_ERROR, 0, number).finish(1))).has_value());
  CHECK_FALSE(parse_netlink_end(only_message(NetlinkRequest(NLMSG_ERROR, 0, std::string_view()).finish(1)))
                  .has_value());
}

}  // namespace
}  // namespace capsule::ns
