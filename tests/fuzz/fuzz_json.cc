// The tree that a text is read into says what nlohmann-json says of it: the same verdict, the same values. It
// differs in two things: what is nested deeper than kMostLevels is refused, and a null byte is no end of a
// text. What find_value() finds is the same value again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "spec/json_extent.h"
#include "spec/json_tree.h"

namespace {

using capsule::spec::JsonNode;
using capsule::spec::JsonTree;
using capsule::spec::JsonType;
using Oracle = nlohmann::json;

bool agree(const JsonNode& node, const Oracle& oracle);

bool objects_agree(const JsonNode& node, const Oracle& oracle) {
  std::set<std::string_view> keys;
  for (std::size_t i = 0; i < node.size; ++i)
    keys.insert(node.members[i].key);
  if (keys.size() != oracle.size()) return false;
  for (const auto& [key, value] : oracle.items()) {
    const JsonNode* found = node.find(key);
    if (found == nullptr || !agree(*found, value)) return false;
  }
  return true;
}

bool arrays_agree(const JsonNode& node, const Oracle& oracle) {
  if (node.size != oracle.size()) return false;
  for (std::size_t i = 0; i < node.size; ++i) {
    if (!agree(node.elements[i], oracle[i])) return false;
  }
  return true;
}

bool agree(const JsonNode& node, const Oracle& oracle) {
  switch (node.type) {
    case JsonType::null:
      return oracle.is_null();
    case JsonType::boolean:
      return oracle.is_boolean() && oracle.get<bool>() == node.boolean;
    case JsonType::natural:
      return oracle.is_number_unsigned() && oracle.get<std::uint64_t>() == node.natural;
    case JsonType::negative:
      return oracle.is_number_integer() && !oracle.is_number_unsigned() &&
             oracle.get<std::int64_t>() == node.negative;
    case JsonType::real:
      return oracle.is_number_float() && oracle.get<double>() == node.real;
    case JsonType::string:
      return oracle.is_string() && oracle.get_ref<const std::string&>() == node.text();
    case JsonType::array:
      return oracle.is_array() && arrays_agree(node, oracle);
    case JsonType::object:
      return oracle.is_object() && objects_agree(node, oracle);
  }
  return false;
}

int levels_of(std::string_view text) {
  int level = 0;
  int most = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') most = std::max(most, ++level);
    if (c == ']' || c == '}') --level;
  }
  return most;
}

// Where there are escapes, a key may be another one than it looks.
bool extents_agree(std::string_view text, const Oracle& oracle) {
  if (!oracle.is_object() || text.find('\\') != std::string_view::npos) return true;
  return std::all_of(oracle.items().begin(), oracle.items().end(), [text](const auto& member) {
    const std::string_view value = capsule::spec::find_value(text, {std::string_view(member.key())});
    return Oracle::parse(value.begin(), value.end(), nullptr, /*allow_exceptions=*/false) == member.value();
  });
}

bool starts_with_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (levels_of(text) > JsonTree::kMostLevels || text.find('\0') != std::string_view::npos) {
    (void)JsonTree::parse(text);
    return 0;
  }
  const auto tree = JsonTree::parse(text);
  const Oracle oracle = Oracle::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if ((tree == nullptr) != oracle.is_discarded()) __builtin_trap();
  if (tree == nullptr) return 0;
  if (!agree(tree->root(), oracle)) __builtin_trap();
  if (!starts_with_mark(text) && !extents_agree(text, oracle)) __builtin_trap();
  return 0;
}
