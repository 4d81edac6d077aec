// A JSON object whose members are plain, written member by member in the layout of Layout::two_spaces: what a
// start and the small commands write, which need no tree for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace capsule::spec {

class FlatObject {
 public:
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::int64_t value);
  void natural(std::string_view key, std::uint64_t value);
  void boolean(std::string_view key, bool value);
  void texts(std::string_view key, const std::map<std::string, std::string>& values);  // not there if empty

  // The whole object, with a newline at its end; once.
  [[nodiscard]] std::string finish() &&;

 private:
  void begin(std::string_view key);

  std::string out_ = "{";
};

// In quotation marks, escaped as nlohmann-json does; a byte that is no UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace capsule::spec
