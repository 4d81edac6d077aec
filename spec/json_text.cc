#include "spec/json_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace capsule::spec {
namespace {

constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kFirstBeyondAscii = 0x80;
constexpr std::uint32_t kFirstSurrogate = 0xd800;
constexpr std::uint32_t kFirstLowSurrogate = 0xdc00;
constexpr std::uint32_t kLastSurrogate = 0xdfff;
constexpr std::uint32_t kFirstSupplementary = 0x10000;

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_continuation(std::string_view bytes, std::size_t at) {
  return at < bytes.size() && (byte_at(bytes, at) & 0xc0U) == 0x80U;
}

// The second byte decides about overlong forms, surrogates and the end of Unicode (RFC 3629, section 4).
bool is_second_byte(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

std::size_t length_by(unsigned char first) {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  constexpr std::size_t kDigits = 4;
  if (digits.size() < kDigits) return std::nullopt;
  std::uint32_t value = 0;
  for (const char digit : digits.substr(0, kDigits)) {
    value <<= 4U;
    if (digit >= '0' && digit <= '9') {
      value |= static_cast<std::uint32_t>(digit - '0');
    } else if (digit >= 'a' && digit <= 'f') {
      value |= static_cast<std::uint32_t>(digit - 'a' + 10);
    } else if (digit >= 'A' && digit <= 'F') {
      value |= static_cast<std::uint32_t>(digit - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

struct Escape {
  std::size_t size = 0;  // bytes of text; 0: not an escape
  std::uint32_t code = 0;
};

// \uXXXX, two of them if the first is the high half of a pair.
Escape read_unicode(std::string_view text) {
  constexpr std::size_t kSize = 6;
  const std::optional<std::uint32_t> first = hexadecimal(text.substr(2));
  if (!first.has_value()) return {};
  if (*first < kFirstSurrogate || *first > kLastSurrogate) return {kSize, *first};
  const std::string_view rest = text.substr(kSize);
  if (*first >= kFirstLowSurrogate || !rest.starts_with("\\u")) return {};
  const std::optional<std::uint32_t> second = hexadecimal(rest.substr(2));
  if (!second.has_value() || *second < kFirstLowSurrogate || *second > kLastSurrogate) return {};
  return {2 * kSize,
          kFirstSupplementary + ((*first - kFirstSurrogate) << 10U) + (*second - kFirstLowSurrogate)};
}

Escape read_escape(std::string_view text) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text.size() < 2) return {};
  if (text[1] == 'u') return read_unicode(text);
  const std::size_t at = kNames.find(text[1]);
  if (at == std::string_view::npos) return {};
  return {2, byte_at(kMeanings, at)};
}

char* put_utf8(std::uint32_t code, char* out) {
  const auto continuation = [&](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xc0U | (code >> 6U));
    *out++ = continuation(0);
  } else if (code < kFirstSupplementary) {
    *out++ = static_cast<char>(0xe0U | (code >> 12U));
    *out++ = continuation(6);
    *out++ = continuation(0);
  } else {
    *out++ = static_cast<char>(0xf0U | (code >> 18U));
    *out++ = continuation(12);
    *out++ = continuation(6);
    *out++ = continuation(0);
  }
  return out;
}

}  // namespace

std::size_t utf8_sequence(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const unsigned char first = byte_at(bytes, 0);
  if (first < kFirstBeyondAscii) return 1;
  const std::size_t length = length_by(first);
  if (length == 0 || !is_continuation(bytes, 1) || !is_second_byte(first, byte_at(bytes, 1))) return 0;
  for (std::size_t at = 2; at < length; ++at) {
    if (!is_continuation(bytes, at)) return 0;
  }
  return length;
}

RawString scan_string(std::string_view bytes) {
  RawString string;
  for (std::size_t at = 0; at < bytes.size();) {
    const unsigned char byte = byte_at(bytes, at);
    if (byte == '"') return {true, string.has_escapes, at};
    if (byte < kFirstPrintable) return {};
    if (byte == '\\') {
      string.has_escapes = true;
      at += 2;  // a mark after it does not close the string
    } else if (byte < kFirstBeyondAscii) {
      ++at;
    } else {
      const std::size_t length = utf8_sequence(bytes.substr(at));
      if (length == 0) return {};
      at += length;
    }
  }
  return {};
}

std::size_t unescape(std::string_view raw, char* out) {
  const char* begin = out;
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    out = std::copy_n(raw.data(), plain, out);
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    const Escape escape = read_escape(raw);
    if (escape.size == 0) return kBadEscape;
    out = put_utf8(escape.code, out);
    raw.remove_prefix(escape.size);
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace capsule::spec
