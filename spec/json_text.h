// The text of JSON strings: what stands between the quotation marks, and what it means.
#pragma once

#include <cstddef>
#include <string_view>

namespace capsule::spec {

// The bytes of the UTF-8 sequence at the start of `bytes`: 1 to 4; 0 if there is none, or one that RFC 3629
// forbids (overlong, a surrogate, beyond U+10FFFF, cut off).
std::size_t utf8_sequence(std::string_view bytes);

struct RawString {
  bool is_valid = false;
  bool has_escapes = false;
  std::size_t size = 0;  // bytes up to the closing quotation mark
};

// Looks at what follows an opening quotation mark. Escapes are not checked here.
RawString scan_string(std::string_view bytes);

// Writes what `raw` (between the marks) means to `out`, which has room for raw.size() bytes.
//   returns   the bytes written, or kBadEscape
inline constexpr std::size_t kBadEscape = static_cast<std::size_t>(-1);
std::size_t unescape(std::string_view raw, char* out);

}  // namespace capsule::spec
