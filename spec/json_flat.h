// A JSON object whose members are plain, written member by member as to_text would: what a start and the
// small commands write, which need no tree for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace capsule::spec {

class FlatObject {
 public:
  enum class Layout : unsigned char { two_spaces, one_line };

  explicit FlatObject(Layout layout = Layout::two_spaces) : is_one_line_(layout == Layout::one_line) {
    constexpr std::size_t kUsual = 512;
    out_.reserve(kUsual);
  }

  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::int64_t value);
  void natural(std::string_view key, std::uint64_t value);
  void boolean(std::string_view key, bool value);
  void texts(std::string_view key, const std::map<std::string, std::string>& values);  // not there if empty

  // The whole object, without a newline after it; once.
  [[nodiscard]] std::string finish() &&;

 private:
  void begin(std::string_view key);
  void separate(bool is_first, std::string_view indent);
  void name(std::string_view key);

  std::string out_ = "{";
  bool is_one_line_;
};

// In quotation marks, escaped as nlohmann-json does; a byte that is no UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace capsule::spec
