#include "spec/json_error.h"

#include <algorithm>
#include <cstddef>

#include "runtime/base/text.h"
#include "spec/json.h"
#include "spec/json_tree.h"

namespace capsule::spec {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kQuotedBytes =
    32;  // of a wrong line: enough to find the place, little enough for a message

// Where the parser stopped: only run when parsing has already failed, so that the common way stays simple.
struct SyntaxErrorFinder {
  std::size_t position = 0;  // 1 is the first byte

  // NOLINTBEGIN(readability-convert-member-functions-to-static): the library calls them on an object
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(Json::number_integer_t) { return true; }
  bool number_unsigned(Json::number_unsigned_t) { return true; }
  bool number_float(Json::number_float_t, const Json::string_t&) { return true; }
  bool string(Json::string_t&) { return true; }
  bool binary(Json::binary_t&) { return true; }
  bool start_object(std::size_t) { return true; }
  bool key(Json::string_t&) { return true; }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return true; }
  bool end_array() { return true; }
  // NOLINTEND(readability-convert-member-functions-to-static)

  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) {
    position = at;
    return false;
  }
};

// The end of `line`, safe to print: what is not ASCII may be the very bytes that are no UTF-8.
std::string shown(std::string_view line) {
  std::string text(line.substr(line.size() - std::min(line.size(), kQuotedBytes)));
  text.erase(0, text.find_first_not_of(" \t"));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return capsule::quoted(text);
}

// It stops at a null byte as if the text ended there, and follows any depth.
std::string describe_what_the_library_takes(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return "is not valid JSON: it contains a null byte";
  return cat({"is nested deeper than ", std::to_string(JsonTree::kMostLevels), " levels"});
}

}  // namespace

std::string describe_syntax_error(std::string_view bytes) {
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) return "is empty, not JSON";
  SyntaxErrorFinder finder;
  if (Json::sax_parse(bytes.begin(), bytes.end(), &finder)) return describe_what_the_library_takes(bytes);

  const bool ends_too_early = finder.position == 0 || finder.position > bytes.size();
  const std::string_view before = bytes.substr(0, ends_too_early ? bytes.size() : finder.position - 1);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::string place =
      cat({"line ", std::to_string(line), ", column ", std::to_string(before.size() - line_start + 1)});
  if (ends_too_early) return cat({"is not valid JSON: it ends too early at ", place});
  return cat({"is not valid JSON at ", place, ", near ",
              shown(bytes.substr(line_start, finder.position - line_start))});
}

}  // namespace capsule::spec
