// Messages of the kernel's routing socket as bytes (netlink(7), rtnetlink(7)): written, and read with every
// length checked. Pure.
//
// A message is a header, a fixed structure that depends on its type, and attributes of type, length and
// value; all parts are padded to 4 bytes. What is read here was written by the kernel, but a buffer that was
// too small cuts it anywhere.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::ns {

class NetlinkRequest {
 public:
  //   fixed   the structure of this type: ifinfomsg, ifaddrmsg
  template <class Fixed>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Fixed& fixed)
      : NetlinkRequest(type, flags, bytes_of(fixed)) {}
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, std::string_view fixed);

  NetlinkRequest& add(std::uint16_t attribute, std::string_view value);
  NetlinkRequest& add_text(std::uint16_t attribute,
                           std::string_view text);  // with the NUL that the kernel wants
  NetlinkRequest& add_number(std::uint16_t attribute, std::uint32_t number);

  // The message with its length and number filled in; answers carry the number again.
  [[nodiscard]] std::string finish(std::uint32_t sequence) const;
  [[nodiscard]] bool is_dump() const { return (flags_ & NLM_F_DUMP) == NLM_F_DUMP; }

  template <class T>
  static std::string_view bytes_of(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }

 private:
  std::uint16_t type_;
  std::uint16_t flags_;
  std::string body_;
};

struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::string_view body;  // of the datagram that it was read from
};

struct NetlinkAttribute {
  std::uint16_t type = 0;
  std::string_view value;
};

// How a request ended: the answer NLMSG_ERROR, or NLMSG_DONE after a dump.
struct NetlinkEnd {
  int err = 0;        // errno; 0: done
  std::string words;  // the kernel's own reason, where it gives one (NETLINK_EXT_ACK)
};

//   fails   peer, if a length leads out of the datagram or below its own header
Result<std::vector<NetlinkMessage>> parse_netlink_datagram(std::string_view datagram);
Result<std::vector<NetlinkAttribute>> parse_netlink_attributes(std::string_view bytes);
Result<NetlinkEnd> parse_netlink_end(const NetlinkMessage& message);

// The fixed structure at the beginning of `bytes`, which it is taken from. nullopt: too short.
template <class T>
std::optional<T> take_fixed(std::string_view& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  constexpr std::size_t kPadded = NLMSG_ALIGN(sizeof(T));
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(bytes.size() < kPadded ? bytes.size() : kPadded);
  return value;
}

// nullopt: not of this size.
std::optional<std::uint32_t> netlink_number(std::string_view value);
// Up to its NUL.
std::string netlink_text(std::string_view value);

}  // namespace capsule::ns
