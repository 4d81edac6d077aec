// A place in a JSON document that knows its JSON pointer, so that every complaint can name it.
//
// Type and range are checked before a value is taken; nothing is converted: no number from a string, no
// integer from 1.0. `null` counts as absent, and so does "" where text() reads: the Go types of the
// specification, which wrote most documents, cannot tell these apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/boxed.h"
#include "runtime/base/result.h"
#include "spec/json_tree.h"

namespace capsule::spec {

class Cursor {
 public:
  // A cursor borrows: from the document, and from the cursor it came from (pointers are put together only
  // when they are needed).
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  [[nodiscard]] Cursor member(std::string_view key) const&;
  [[nodiscard]] Cursor element(std::size_t index) const&;
  Cursor member(std::string_view key) const&& = delete;
  Cursor element(std::size_t index) const&& = delete;

  [[nodiscard]] bool is_present() const;  // false for null, too
  [[nodiscard]] Status expect_object() const;
  [[nodiscard]] Result<std::size_t> array_size() const;
  [[nodiscard]] Result<std::vector<std::string_view>> keys() const;

  // The value itself, which must be there.
  //   T  bool, std::string, std::uint16_t, std::uint32_t, std::uint64_t, std::int32_t, std::int64_t
  template <class T>
  [[nodiscard]] Result<T> as() const;

  // Members of an object.
  template <class T>
  [[nodiscard]] Result<T> required(std::string_view key) const;
  template <class T>
  [[nodiscard]] Result<std::optional<T>> optional(std::string_view key) const;
  template <class T>
  [[nodiscard]] Result<T> value_or(std::string_view key, T fallback) const;
  [[nodiscard]] Result<std::optional<std::string>> text(std::string_view key) const;  // "" is absent
  // Arrays and maps of plain values; absent is empty.
  template <class T>
  [[nodiscard]] Result<std::vector<T>> values(std::string_view key) const;
  template <class T>
  [[nodiscard]] Result<std::optional<std::vector<T>>> optional_values(std::string_view key) const;
  [[nodiscard]] Result<std::map<std::string, std::string>> texts(std::string_view key) const;

  // Members that are objects, arrays and maps of objects, each read by `parse`.
  template <class T>
  using Parse = Result<T> (*)(const Cursor& at);
  template <class T>
  [[nodiscard]] Result<std::optional<T>> object(std::string_view key, Parse<T> parse) const;
  template <class T>
  [[nodiscard]] Result<Boxed<T>> boxed(std::string_view key, Parse<T> parse) const;
  template <class T>
  [[nodiscard]] Result<std::vector<T>> objects(std::string_view key, Parse<T> parse) const;
  template <class T>
  [[nodiscard]] Result<std::vector<T>> all(Parse<T> parse) const;  // of this array itself
  template <class T>
  [[nodiscard]] Result<std::map<std::string, T>> object_map(std::string_view key, Parse<T> parse) const;

  // "/linux/resources/memory/limit: must be an integer, not a string".
  [[nodiscard]] Error error(std::string_view why) const;

 private:
  friend class Document;
  enum class Place : unsigned char { root, root_at, member, element };

  explicit Cursor(const JsonNode* node, std::string_view name, Place place = Place::root)
      : node_(node), key_(name), place_(place) {}
  Cursor(const JsonNode* node, const Cursor& parent, std::string_view key)
      : node_(node), parent_(&parent), key_(key), place_(Place::member) {}
  Cursor(const JsonNode* node, const Cursor& parent, std::size_t index)
      : node_(node), parent_(&parent), index_(index), place_(Place::element) {}

  [[nodiscard]] std::string pointer() const;
  [[nodiscard]] Error wrong_type(std::string_view expected) const;
  [[nodiscard]] Status read_into(bool& out) const;
  [[nodiscard]] Status read_into(std::string& out) const;
  [[nodiscard]] Status read_into(std::uint16_t& out) const;
  [[nodiscard]] Status read_into(std::uint32_t& out) const;
  [[nodiscard]] Status read_into(std::uint64_t& out) const;
  [[nodiscard]] Status read_into(std::int32_t& out) const;
  [[nodiscard]] Status read_into(std::int64_t& out) const;
  template <class T>
  [[nodiscard]] Status read_integer(T& out) const;

  const JsonNode* node_;  // nullptr: absent
  const Cursor* parent_ = nullptr;
  std::string_view key_;  // of a member; of the root: the document's name, or where it lies
  std::size_t index_ = 0;
  Place place_;
};

class Document {
 public:
  // `name` stands for the whole document in errors ("state.json: is empty"); "" means config.json. Both
  // arguments must outlive the result.
  //   fails   invalid_config with line and column, if `bytes` is not one JSON value
  static Result<Document> parse(std::string_view bytes, std::string_view name);
  [[nodiscard]] Cursor root() const;
  // The same as if it lay at `pointer` of a larger document.
  [[nodiscard]] Cursor root_at(std::string_view pointer) const;

 private:
  Document(std::unique_ptr<const JsonTree> tree, std::string_view name)
      : tree_(std::move(tree)), name_(name) {}

  std::unique_ptr<const JsonTree> tree_;
  std::string_view name_;
};

// ---- templates

template <class T>
Result<T> Cursor::as() const {
  T value{};
  TRY(read_into(value));
  return value;
}

template <class T>
Result<T> Cursor::required(std::string_view key) const {
  const Cursor at = member(key);
  if (!at.is_present()) return at.error("is required");
  return at.as<T>();
}

template <class T>
Result<std::optional<T>> Cursor::optional(std::string_view key) const {
  const Cursor at = member(key);
  if (!at.is_present()) return std::optional<T>();
  return std::optional<T>(TRY(at.as<T>()));
}

template <class T>
Result<T> Cursor::value_or(std::string_view key, T fallback) const {
  const Cursor at = member(key);
  if (!at.is_present()) return fallback;
  return at.as<T>();
}

template <class T>
Result<std::optional<std::vector<T>>> Cursor::optional_values(std::string_view key) const {
  const Cursor at = member(key);
  if (!at.is_present()) return std::optional<std::vector<T>>();
  std::vector<T> values(TRY(at.array_size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    TRY(at.element(i).read_into(values[i]));
  return std::optional<std::vector<T>>(std::move(values));
}

template <class T>
Result<std::vector<T>> Cursor::values(std::string_view key) const {
  return TRY(optional_values<T>(key)).value_or(std::vector<T>());
}

template <class T>
Result<std::optional<T>> Cursor::object(std::string_view key, Parse<T> parse) const {
  const Cursor at = member(key);
  if (!at.is_present()) return std::optional<T>();
  TRY(at.expect_object());
  return std::optional<T>(TRY(parse(at)));
}

template <class T>
Result<Boxed<T>> Cursor::boxed(std::string_view key, Parse<T> parse) const {
  const Cursor at = member(key);
  if (!at.is_present()) return Boxed<T>();
  TRY(at.expect_object());
  return Boxed<T>(TRY(parse(at)));
}

template <class T>
Result<std::vector<T>> Cursor::objects(std::string_view key, Parse<T> parse) const {
  const Cursor list = member(key);
  if (!list.is_present()) return std::vector<T>();
  return list.all<T>(parse);
}

template <class T>
Result<std::vector<T>> Cursor::all(Parse<T> parse) const {
  std::vector<T> parsed;
  const std::size_t size = TRY(array_size());
  parsed.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const Cursor at = element(i);
    TRY(at.expect_object());
    parsed.push_back(TRY(parse(at)));
  }
  return parsed;
}

template <class T>
Result<std::map<std::string, T>> Cursor::object_map(std::string_view key, Parse<T> parse) const {
  std::map<std::string, T> parsed;
  const Cursor map = member(key);
  if (!map.is_present()) return parsed;
  for (const std::string_view name : TRY(map.keys())) {
    const Cursor at = map.member(name);
    TRY(at.expect_object());
    parsed.emplace(name, TRY(parse(at)));
  }
  return parsed;
}

}  // namespace capsule::spec
