#include "spec/json_flat.h"

#include <utility>

#include "spec/json_text.h"

namespace capsule::spec {
namespace {

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_control(std::string& out, char c) {
  constexpr std::string_view kMeanings = "\b\f\n\r\t\"\\";
  constexpr std::string_view kNames = "bfnrt\"\\";
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  const std::size_t at = kMeanings.find(c);
  if (at != std::string_view::npos) {
    out.append({'\\', kNames[at]});
  } else {
    out.append("\\u00").append({kHex[byte >> 4U], kHex[byte & 0xfU]});
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  constexpr char kFirstBeyondAscii = '\x80';
  out.push_back('"');
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size() && is_plain(text[size]))
      ++size;
    out.append(text.substr(0, size));
    text.remove_prefix(size);
    if (text.empty()) break;
    const bool is_ascii = (text[0] & kFirstBeyondAscii) == 0;
    const std::size_t sequence = is_ascii ? 1 : utf8_sequence(text);
    if (is_ascii) {
      append_control(out, text[0]);
    } else {
      out.append(sequence == 0 ? kReplacement : text.substr(0, sequence));
    }
    text.remove_prefix(sequence == 0 ? 1 : sequence);
  }
  out.push_back('"');
}

void FlatObject::separate(bool is_first, std::string_view indent) {
  if (!is_first) out_.push_back(',');
  if (!is_one_line_) out_.append(indent);
}

void FlatObject::name(std::string_view key) {
  append_json_string(out_, key);
  out_.append(is_one_line_ ? ":" : ": ");
}

void FlatObject::begin(std::string_view key) {
  separate(out_.size() == 1, "\n  ");
  name(key);
}

void FlatObject::text(std::string_view key, std::string_view value) {
  begin(key);
  append_json_string(out_, value);
}

void FlatObject::number(std::string_view key, std::int64_t value) {
  begin(key);
  out_.append(std::to_string(value));
}

void FlatObject::natural(std::string_view key, std::uint64_t value) {
  begin(key);
  out_.append(std::to_string(value));
}

void FlatObject::boolean(std::string_view key, bool value) {
  begin(key);
  out_.append(value ? "true" : "false");
}

void FlatObject::texts(std::string_view key, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  begin(key);
  out_.push_back('{');
  bool is_first = true;
  for (const auto& [key_of_value, value] : values) {
    separate(std::exchange(is_first, false), "\n    ");
    name(key_of_value);
    append_json_string(out_, value);
  }
  if (!is_one_line_) out_.append("\n  ");
  out_.push_back('}');
}

std::string FlatObject::finish() && {
  if (!is_one_line_ && out_.size() > 1) out_.push_back('\n');
  out_.push_back('}');
  return std::move(out_);
}

}  // namespace capsule::spec
