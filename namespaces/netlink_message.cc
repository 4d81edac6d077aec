#include "namespaces/netlink_message.h"

#include <cerrno>

namespace capsule::ns {
namespace {

constexpr std::size_t align(std::size_t size) {
  return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
}

Error malformed() {
  return Error::peer("the kernel's answer about network devices is cut short");
}

// Takes a record of `size` bytes, and the padding behind it unless the input ends first.
std::string_view take(std::string_view& bytes, std::size_t size) {
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(std::min(bytes.size(), align(size)));
  return taken;
}

// Behind the errno comes the request that failed: its header alone if the answer is capped. Only then come
// attributes.
std::string parse_reason(std::uint16_t flags, std::string_view after_err) {
  std::string_view rest = after_err;
  const std::optional<nlmsghdr> request = take_fixed<nlmsghdr>(rest);
  if (!request.has_value() || (flags & NLM_F_ACK_TLVS) == 0) return {};
  if ((flags & NLM_F_CAPPED) == 0) {
    const std::size_t body =
        align(request->nlmsg_len) - std::min(align(request->nlmsg_len), sizeof(nlmsghdr));
    if (body > rest.size()) return {};
    rest.remove_prefix(body);
  }
  const Result<std::vector<NetlinkAttribute>> attributes = parse_netlink_attributes(rest);
  if (!attributes.has_value()) return {};
  for (const NetlinkAttribute& attribute : attributes.value()) {
    if (attribute.type == NLMSGERR_ATTR_MSG) return netlink_text(attribute.value);
  }
  return {};
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags, std::string_view fixed)
    : type_(type), flags_(flags), body_(fixed) {
  body_.resize(align(body_.size()));
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t attribute, std::string_view value) {
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), attribute};
  body_.append(bytes_of(header)).append(value);
  body_.resize(align(body_.size()));
  return *this;
}

NetlinkRequest& NetlinkRequest::add_text(std::uint16_t attribute, std::string_view text) {
  return add(attribute, std::string(text).append(1, '\0'));
}

NetlinkRequest& NetlinkRequest::add_number(std::uint16_t attribute, std::uint32_t number) {
  return add(attribute, bytes_of(number));
}

std::string NetlinkRequest::finish(std::uint32_t sequence) const {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(header) + body_.size());
  header.nlmsg_type = type_;
  header.nlmsg_flags = flags_;
  header.nlmsg_seq = sequence;
  return std::string(bytes_of(header)).append(body_);
}

Result<std::vector<NetlinkMessage>> parse_netlink_datagram(std::string_view datagram) {
  std::vector<NetlinkMessage> messages;
  while (!datagram.empty()) {
    nlmsghdr header;  // NOLINT(cppcoreguidelines-pro-type-member-init): copied into
    if (datagram.size() < sizeof(header)) return malformed();
    std::memcpy(&header, datagram.data(), sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > datagram.size()) return malformed();
    const std::string_view whole = take(datagram, header.nlmsg_len);
    messages.push_back(
        {header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, whole.substr(sizeof(header))});
  }
  return messages;
}

Result<std::vector<NetlinkAttribute>> parse_netlink_attributes(std::string_view bytes) {
  std::vector<NetlinkAttribute> attributes;
  while (!bytes.empty()) {
    nlattr header;  // NOLINT(cppcoreguidelines-pro-type-member-init): copied into
    if (bytes.size() < sizeof(header)) return malformed();
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > bytes.size()) return malformed();
    const std::string_view whole = take(bytes, header.nla_len);
    attributes.push_back(
        {static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), whole.substr(sizeof(header))});
  }
  return attributes;
}

Result<NetlinkEnd> parse_netlink_end(const NetlinkMessage& message) {
  std::string_view rest = message.body;
  const std::optional<std::int32_t> negative = take_fixed<std::int32_t>(rest);
  if (!negative.has_value() && message.type == NLMSG_DONE) return NetlinkEnd{};  // older kernels say no more
  if (!negative.has_value() || *negative > 0 || *negative < -4095) return malformed();
  return NetlinkEnd{-*negative,
                    message.type == NLMSG_ERROR ? parse_reason(message.flags, rest) : std::string()};
}

std::optional<std::uint32_t> netlink_number(std::string_view value) {
  if (value.size() != sizeof(std::uint32_t)) return std::nullopt;
  return take_fixed<std::uint32_t>(value);
}

std::string netlink_text(std::string_view value) {
  return std::string(value.substr(0, value.find('\0')));
}

}  // namespace capsule::ns
