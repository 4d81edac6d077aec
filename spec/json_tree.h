// A JSON document as a tree: RFC 8259, strict, UTF-8 only. Written for the way a container starts: one pass
// over the text, strings stay where they are unless they have escapes, and all nodes lie in one arena, which
// is given back whole. tests/fuzz/fuzz_json.cc holds it against nlohmann-json, which also words the errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "spec/arena.h"

namespace capsule::spec {

// An integer is `natural` or `negative` if it fits 64 bits; every other number is `real`.
enum class JsonType : unsigned char { null, boolean, natural, negative, real, string, array, object };

struct JsonMember;

// What `type` says is in use; the arrays have `size` elements.
struct JsonNode {
  JsonType type = JsonType::null;
  bool boolean = false;
  std::uint32_t size = 0;
  union {
    std::uint64_t natural = 0;
    std::int64_t negative;
    double real;
    const char* characters;
    const JsonNode* elements;
    const JsonMember* members;  // of equal keys the last one counts
  };

  [[nodiscard]] std::string_view text() const { return {characters, size}; }
  // nullptr: an object without this member.
  [[nodiscard]] const JsonNode* find(std::string_view key) const;
};

struct JsonMember {
  std::string_view key;
  JsonNode value;
};

class JsonTree {
 public:
  // An object with more members has them sorted by key, so that a config.json with thousands of annotations
  // does not take the square of that; with fewer, in the document's order.
  static constexpr std::size_t kMostUnsorted = 32;
  static constexpr int kMostLevels = 1000;  // of arrays and objects in each other

  // `bytes` must outlive the tree.
  //   returns   nullptr if `bytes` is not exactly one JSON value, or nested deeper than kMostLevels
  static std::unique_ptr<const JsonTree> parse(std::string_view bytes);

  [[nodiscard]] const JsonNode& root() const { return root_; }

 private:
  explicit JsonTree(std::size_t size) : arena_(size) {}

  Arena arena_;
  JsonNode root_;
};

}  // namespace capsule::spec
