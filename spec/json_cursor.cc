#include "spec/json_cursor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/text.h"
#include "spec/json.h"
#include "spec/pointer.h"

namespace capsule::spec {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kQuotedBytes =
    32;  // of a wrong line: enough to find the place, little enough for a message

std::string_view name_of_type(const Json& node) {
  switch (node.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

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

std::string describe_syntax_error(std::string_view bytes) {
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) return "is empty, not JSON";
  SyntaxErrorFinder finder;
  (void)Json::sax_parse(bytes.begin(), bytes.end(), &finder);  // false by design: it has failed before

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

template <class T>
std::string describe_range() {
  using Limits = std::numeric_limits<T>;
  return cat({"must be between ", std::to_string(Limits::min()), " and ", std::to_string(Limits::max())});
}

// The library turns an integer that fits neither 64-bit type into a double: that one is too big, not broken.
template <class T>
bool is_beyond(double number) {
  return number >= static_cast<double>(std::numeric_limits<T>::max()) + 1.0 ||
         number <= static_cast<double>(std::numeric_limits<T>::min()) - 1.0;
}

}  // namespace

Cursor Cursor::member(std::string_view key) const& {
  const Json* found = nullptr;
  if (node_ != nullptr && node_->is_object()) {
    const auto it = node_->find(key);
    if (it != node_->end()) found = &*it;
  }
  return {found, *this, key};
}

Cursor Cursor::element(std::size_t index) const& {
  return {&(*node_)[index], *this, index};
}

bool Cursor::is_present() const {
  return node_ != nullptr && !node_->is_null();
}

Status Cursor::expect_object() const {
  if (!node_->is_object()) return wrong_type("an object");
  return {};
}

Result<std::size_t> Cursor::array_size() const {
  if (!node_->is_array()) return wrong_type("an array");
  return node_->size();
}

Result<std::vector<std::string_view>> Cursor::keys() const {
  TRY(expect_object());
  std::vector<std::string_view> keys;
  keys.reserve(node_->size());
  for (auto it = node_->begin(); it != node_->end(); ++it) {
    if (it.key().find('\0') != std::string::npos) return error("must not have a null byte in a name");
    keys.push_back(it.key());
  }
  return keys;
}

Result<std::optional<std::string>> Cursor::text(std::string_view key) const {
  std::optional<std::string> found = TRY(optional<std::string>(key));
  if (found.has_value() && found->empty()) found.reset();
  return found;
}

Result<std::map<std::string, std::string>> Cursor::texts(std::string_view key) const {
  std::map<std::string, std::string> texts;
  const Cursor map = member(key);
  if (!map.is_present()) return texts;
  for (const std::string_view name : TRY(map.keys()))
    texts.emplace(name, TRY(map.member(name).as<std::string>()));
  return texts;
}

Status Cursor::read_into(bool& out) const {
  const auto* value = node_->get_ptr<const Json::boolean_t*>();
  if (value == nullptr) return wrong_type("a boolean");
  out = *value;
  return {};
}

Status Cursor::read_into(std::string& out) const {
  const auto* value = node_->get_ptr<const Json::string_t*>();
  if (value == nullptr) return wrong_type("a string");
  // Everything here ends as a C string in a system call, which would see only what stands before it.
  if (value->find('\0') != std::string::npos) return error("must not contain a null byte");
  out = *value;
  return {};
}

template <class T>
Status Cursor::read_integer(T& out) const {
  if (node_->is_number_float()) {
    if (is_beyond<T>(*node_->get_ptr<const Json::number_float_t*>())) return error(describe_range<T>());
    return error("must be an integer, not a number with a fraction or an exponent");
  }
  if (!node_->is_number_integer()) return wrong_type("an integer");

  if (node_->is_number_unsigned()) {
    const auto value = *node_->get_ptr<const Json::number_unsigned_t*>();
    if (!std::in_range<T>(value)) return error(describe_range<T>());
    out = static_cast<T>(value);
  } else {
    const auto value = *node_->get_ptr<const Json::number_integer_t*>();
    if (!std::in_range<T>(value)) return error(describe_range<T>());
    out = static_cast<T>(value);
  }
  return {};
}

Status Cursor::read_into(std::uint16_t& out) const {
  return read_integer(out);
}
Status Cursor::read_into(std::uint32_t& out) const {
  return read_integer(out);
}
Status Cursor::read_into(std::uint64_t& out) const {
  return read_integer(out);
}
Status Cursor::read_into(std::int32_t& out) const {
  return read_integer(out);
}
Status Cursor::read_into(std::int64_t& out) const {
  return read_integer(out);
}

Error Cursor::wrong_type(std::string_view expected) const {
  return error(cat({"must be ", expected, ", not ", name_of_type(*node_)}));
}

Error Cursor::error(std::string_view why) const {
  return Error::invalid_config(place_ == Place::root ? std::string(key_) : pointer(), why);
}

std::string Cursor::pointer() const {
  switch (place_) {
    case Place::member:
      return pointer_to(parent_->pointer(), key_);
    case Place::element:
      return pointer_to(parent_->pointer(), index_);
    case Place::root_at:
      return std::string(key_);
    case Place::root:
      break;
  }
  return {};
}

Result<Document> Document::parse(std::string_view bytes, std::string_view name) {
  auto json =
      std::make_unique<Json>(Json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false));
  if (json->is_discarded()) return Error::invalid_config(name, describe_syntax_error(bytes));
  return Document(std::move(json), name);
}

Document::Document(std::unique_ptr<const Json> json, std::string_view name)
    : json_(std::move(json)), name_(name) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Cursor Document::root() const {
  return Cursor(json_.get(), name_);
}

Cursor Document::root_at(std::string_view pointer) const {
  return Cursor(json_.get(), pointer, Cursor::Place::root_at);
}

}  // namespace capsule::spec
