#include "spec/json_flat.h"

#include <cstdint>

#include "spec/json_tree.h"
#include "tests/support/catch.h"

namespace capsule::spec {
namespace {

std::string quoted_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("a flat object is laid out with two spaces", "[spec][json]") {
  FlatObject json;
  json.text("a", "x");
  json.number("b", INT64_MIN);
  json.natural("c", UINT64_MAX);
  json.boolean("d", true);
  json.texts("none", {});
  json.texts("e", {{"k", "1"}, {"l", "2"}});

  CHECK(std::move(json).finish() == R"({
  "a": "x",
  "b": -9223372036854775808,
  "c": 18446744073709551615,
  "d": true,
  "e": {
    "k": "1",
    "l": "2"
  }
})");
  CHECK(FlatObject().finish() == "{}");
}

TEST_CASE("a flat object on one line has no spaces", "[spec][json]") {
  FlatObject json(FlatObject::Layout::one_line);
  json.text("a", "x");
  json.texts("e", {{"k", "1"}, {"l", "2"}});

  CHECK(std::move(json).finish() == R"({"a":"x","e":{"k":"1","l":"2"}})");
  CHECK(FlatObject(FlatObject::Layout::one_line).finish() == "{}");
}

TEST_CASE("a text is escaped where JSON demands it, and nowhere else", "[spec][json]") {
  CHECK(quoted_json("a/b\x7f") == "\"a/b\x7f\"");
  CHECK(quoted_json("\b\f\n\r\t\"\\") == R"("\b\f\n\r\t\"\\")");
  CHECK(quoted_json(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
  CHECK(quoted_json("\xc3\xa9\xf0\x9f\x98\x80") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST_CASE("a byte that is no UTF-8 becomes U+FFFD", "[spec][json]") {
  CHECK(quoted_json("a\xff\xc3(") == "\"a\xef\xbf\xbd\xef\xbf\xbd(\"");
}

TEST_CASE("every byte survives being written and read", "[spec][json]") {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string text = {'<', static_cast<char>(byte), '>'};
    const std::string json = quoted_json(text);
    const auto tree = JsonTree::parse(json);
    REQUIRE(tree != nullptr);
    CHECK(tree->root().text() == text);
  }
}

}  // namespace capsule::spec
