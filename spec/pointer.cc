#include "spec/pointer.h"

#include "runtime/base/text.h"

namespace capsule::spec {

std::string printable(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out.append({'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xFU]});
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string escape_token(std::string_view token) {
  std::string out;
  for (const char c : printable(token)) {
    if (c == '~' || c == '/') {
      out.append(c == '~' ? "~0" : "~1");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string pointer_to(std::string_view list, std::size_t index, std::string_view member) {
  std::string pointer = cat({list, "/", std::to_string(index)});
  if (!member.empty()) pointer.append("/").append(member);
  return pointer;
}

std::string pointer_to(std::string_view object, std::string_view key) {
  return cat({object, "/", escape_token(key)});
}

}  // namespace capsule::spec
