#include "spec/json_cursor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/text.h"
#include "spec/json_error.h"
#include "spec/pointer.h"

namespace capsule::spec {
namespace {

std::string_view name_of_type(const JsonNode& node) {
  switch (node.type) {
    case JsonType::null:
      return "null";
    case JsonType::object:
      return "an object";
    case JsonType::array:
      return "an array";
    case JsonType::string:
      return "a string";
    case JsonType::boolean:
      return "a boolean";
    case JsonType::natural:
    case JsonType::negative:
    case JsonType::real:
      break;
  }
  return "a number";
}

template <class T>
std::string describe_range() {
  using Limits = std::numeric_limits<T>;
  return cat({"must be between ", std::to_string(Limits::min()), " and ", std::to_string(Limits::max())});
}

// An integer that fits neither 64-bit type is a real, too: that one is too big, not broken.
template <class T>
bool is_beyond(double number) {
  return number >= static_cast<double>(std::numeric_limits<T>::max()) + 1.0 ||
         number <= static_cast<double>(std::numeric_limits<T>::min()) - 1.0;
}

}  // namespace

Cursor Cursor::member(std::string_view key) const& {
  const bool has_members = node_ != nullptr && node_->type == JsonType::object;
  return {has_members ? node_->find(key) : nullptr, *this, key};
}

Cursor Cursor::element(std::size_t index) const& {
  return {node_->elements + index, *this, index};
}

bool Cursor::is_present() const {
  return node_ != nullptr && node_->type != JsonType::null;
}

Status Cursor::expect_object() const {
  if (node_->type != JsonType::object) return wrong_type("an object");
  return {};
}

Result<std::size_t> Cursor::array_size() const {
  if (node_->type != JsonType::array) return wrong_type("an array");
  return std::size_t{node_->size};
}

Result<std::vector<std::string_view>> Cursor::keys() const {
  TRY(expect_object());
  std::vector<std::string_view> keys;
  keys.reserve(node_->size);
  for (std::size_t i = 0; i < node_->size; ++i) {
    const std::string_view key = node_->members[i].key;
    if (key.find('\0') != std::string_view::npos) return error("must not have a null byte in a name");
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
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
  if (node_->type != JsonType::boolean) return wrong_type("a boolean");
  out = node_->boolean;
  return {};
}

Status Cursor::read_into(std::string& out) const {
  if (node_->type != JsonType::string) return wrong_type("a string");
  // Everything here ends as a C string in a system call, which would see only what stands before it.
  const std::string_view text = node_->text();
  if (text.find('\0') != std::string_view::npos) return error("must not contain a null byte");
  out = text;
  return {};
}

template <class T>
Status Cursor::read_integer(T& out) const {
  switch (node_->type) {
    case JsonType::natural:
      if (!std::in_range<T>(node_->natural)) return error(describe_range<T>());
      out = static_cast<T>(node_->natural);
      return {};
    case JsonType::negative:
      if (!std::in_range<T>(node_->negative)) return error(describe_range<T>());
      out = static_cast<T>(node_->negative);
      return {};
    case JsonType::real:
      if (is_beyond<T>(node_->real)) return error(describe_range<T>());
      return error("must be an integer, not a number with a fraction or an exponent");
    default:
      return wrong_type("an integer");
  }
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
  std::unique_ptr<const JsonTree> tree = JsonTree::parse(bytes);
  if (tree == nullptr) return Error::invalid_config(name, describe_syntax_error(bytes));
  return Document(std::move(tree), name);
}

Cursor Document::root() const {
  return Cursor(&tree_->root(), name_);
}

Cursor Document::root_at(std::string_view pointer) const {
  return Cursor(&tree_->root(), pointer, Cursor::Place::root_at);
}

}  // namespace capsule::spec
