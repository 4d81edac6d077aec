#include "spec/json_tree.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "spec/json_text.h"

namespace capsule::spec {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool has_lesser_key(const JsonMember& one, const JsonMember& other) {
  return one.key < other.key;
}

class Parser {
 public:
  Parser(std::string_view bytes, Arena& arena)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), arena_(arena) {}

  bool parse_document(JsonNode& root) {
    skip_space();
    if (!parse_value(root)) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  [[nodiscard]] std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r'))
      ++at_;
  }

  bool take(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool take(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // What follows an element: true for another one, false for `close` or, with `bad`, for neither.
  bool goes_on(char close, bool& bad) {
    skip_space();
    if (take(',')) {
      skip_space();
      return true;
    }
    bad = !take(close);
    return false;
  }

  bool parse_value(JsonNode& node) {
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return parse_object(node);
      case '[':
        return parse_array(node);
      case '"':
        node.type = JsonType::string;
        return parse_string(node);
      case 't':
        node.type = JsonType::boolean;
        node.boolean = true;
        return take("true");
      case 'f':
        node.type = JsonType::boolean;
        return take("false");
      case 'n':
        return take("null");
      default:
        return parse_number(node);
    }
  }

  bool parse_object(JsonNode& node) {
    node.type = JsonType::object;
    ++at_;
    skip_space();
    if (take('}')) return true;
    if (++level_ > JsonTree::kMostLevels) return false;
    const std::size_t first = members_.size();
    bool bad = false;
    do {
      JsonMember member;
      if (!parse_member(member)) return false;
      members_.push_back(member);
    } while (goes_on('}', bad));
    --level_;
    if (members_.size() - first > JsonTree::kMostUnsorted) sort_members(first);
    node.members = keep(members_, first, node.size);
    return !bad;
  }

  void sort_members(std::size_t first) {
    std::stable_sort(members_.begin() + static_cast<std::ptrdiff_t>(first), members_.end(), has_lesser_key);
  }

  bool parse_member(JsonMember& member) {
    JsonNode key;
    if (at_ == end_ || *at_ != '"' || !parse_string(key)) return false;
    member.key = key.text();
    skip_space();
    if (!take(':')) return false;
    skip_space();
    return parse_value(member.value);
  }

  bool parse_array(JsonNode& node) {
    node.type = JsonType::array;
    ++at_;
    skip_space();
    if (take(']')) return true;
    if (++level_ > JsonTree::kMostLevels) return false;
    const std::size_t first = elements_.size();
    bool bad = false;
    do {
      JsonNode element;
      if (!parse_value(element)) return false;
      elements_.push_back(element);
    } while (goes_on(']', bad));
    --level_;
    node.elements = keep(elements_, first, node.size);
    return !bad;
  }

  // Moves what was collected from `first` on into the arena.
  template <class T>
  const T* keep(std::vector<T>& collected, std::size_t first, std::uint32_t& size) {
    const std::size_t count = collected.size() - first;
    auto* kept = static_cast<T*>(arena_.allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_copy_n(collected.begin() + static_cast<std::ptrdiff_t>(first), count, kept);
    collected.resize(first);
    size = static_cast<std::uint32_t>(count);
    return kept;
  }

  bool parse_string(JsonNode& node) {
    ++at_;
    const RawString raw = scan_string(rest());
    if (!raw.is_valid) return false;
    node.characters = at_;
    std::size_t size = raw.size;
    if (raw.has_escapes) {
      auto* text = static_cast<char*>(arena_.allocate(raw.size, 1));
      size = unescape({at_, raw.size}, text);
      node.characters = text;
    }
    node.size = static_cast<std::uint32_t>(size);
    at_ += raw.size + 1;
    return size != kBadEscape;
  }

  bool skip_digits() {
    const char* first = at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return at_ != first;
  }

  bool parse_number(JsonNode& node) {
    const char* first = at_;
    const bool is_negative = take('-');
    if (!take('0') && !skip_digits()) return false;
    const char* integer_end = at_;
    if (take('.') && !skip_digits()) return false;
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (!take('+')) (void)take('-');
      if (!skip_digits()) return false;
    }
    if (at_ == integer_end && read_integer(node, first, is_negative)) return true;
    return read_real(node, first);
  }

  bool read_integer(JsonNode& node, const char* first, bool is_negative) {
    node.type = is_negative ? JsonType::negative : JsonType::natural;
    const std::from_chars_result read =
        is_negative ? std::from_chars(first, at_, node.negative) : std::from_chars(first, at_, node.natural);
    return read.ec == std::errc();
  }

  // Neither infinite nor a number for us to use: what an error says of it is all that depends on its value.
  bool read_real(JsonNode& node, const char* first) {
    node.type = JsonType::real;
    node.real = std::strtod(std::string(first, at_).c_str(), nullptr);
    return std::isfinite(node.real);
  }

  const char* at_;
  const char* end_;
  Arena& arena_;
  int level_ = 0;
  std::vector<JsonNode> elements_;  // of the arrays that are open
  std::vector<JsonMember> members_;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  if (size > JsonTree::kMostUnsorted) {
    const JsonMember* after = std::upper_bound(members, members + size, JsonMember{key, {}}, has_lesser_key);
    return after != members && (after - 1)->key == key ? &(after - 1)->value : nullptr;
  }
  for (const JsonMember* member = members + size; member != members;) {
    --member;
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

std::unique_ptr<const JsonTree> JsonTree::parse(std::string_view bytes) {
  if (bytes.size() > UINT32_MAX) return nullptr;
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  constexpr std::size_t kSmallestArena = 1024;
  std::unique_ptr<JsonTree> tree(new JsonTree(bytes.size() * 2 + kSmallestArena));
  if (!Parser(bytes, tree->arena_).parse_document(tree->root_)) return nullptr;
  return tree;
}

}  // namespace capsule::spec
