#include "spec/json_tree.h"

#include <cstdint>
#include <string>

#include "tests/support/catch.h"

namespace capsule::spec {
namespace {

std::string text_of(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  REQUIRE(tree != nullptr);
  REQUIRE(tree->root().type == JsonType::string);
  return std::string(tree->root().text());
}

bool is_json(std::string_view text) {
  return JsonTree::parse(text) != nullptr;
}

}  // namespace

TEST_CASE("each kind of value is read as what it is", "[spec][json]") {
  const std::string json = R"( {"n": null, "t": true, "f": false, "u": 18446744073709551615,
    "i": -9223372036854775808, "r": 1.5e1, "s": "x", "a": [1, [2]], "o": {"k": {}}} )";
  const auto tree = JsonTree::parse(json);

  REQUIRE(tree != nullptr);
  const JsonNode& root = tree->root();
  CHECK(root.size == 9);
  CHECK(root.find("n")->type == JsonType::null);
  CHECK(root.find("t")->boolean);
  CHECK_FALSE(root.find("f")->boolean);
  CHECK(root.find("u")->natural == UINT64_MAX);
  CHECK(root.find("i")->negative == INT64_MIN);
  CHECK(root.find("r")->type == JsonType::real);
  CHECK(root.find("r")->real == 15.0);
  CHECK(root.find("s")->text() == "x");
  CHECK(root.find("a")->elements[1].elements[0].natural == 2);
  CHECK(root.find("o")->find("k")->size == 0);
  CHECK(root.find("x") == nullptr);
}

TEST_CASE("of equal keys the last one counts", "[spec][json]") {
  const auto tree = JsonTree::parse(R"({"a": 1, "b": 2, "a": 3})");

  REQUIRE(tree != nullptr);
  CHECK(tree->root().find("a")->natural == 3);
}

TEST_CASE("an object of any size is searched alike", "[spec][json]") {
  for (const std::size_t count : {JsonTree::kMostUnsorted, JsonTree::kMostUnsorted + 1, std::size_t{5000}}) {
    std::string json = R"({"m": 1, "": 2)";
    for (std::size_t i = 3; i <= count; ++i)
      json += ", \"k" + std::to_string(count - i) + "\": " + std::to_string(i);
    json += R"(, "m": 7})";
    const auto tree = JsonTree::parse(json);

    REQUIRE(tree != nullptr);
    CHECK(tree->root().find("m")->natural == 7);
    CHECK(tree->root().find("")->natural == 2);
    CHECK(tree->root().find("k0")->natural == count);
    CHECK(tree->root().find("a") == nullptr);
    CHECK(tree->root().find("z") == nullptr);
  }
}

TEST_CASE("an integer beyond 64 bits is a real, and one beyond a double no JSON", "[spec][json]") {
  CHECK(JsonTree::parse("18446744073709551616")->root().type == JsonType::real);
  CHECK(JsonTree::parse("-9223372036854775809")->root().type == JsonType::real);
  CHECK_FALSE(is_json("1e999"));
}

TEST_CASE("escapes become what they mean", "[spec][json]") {
  CHECK(text_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(text_of(R"("\u0041\u00e9\u20AC\ud83d\ude00.")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.");
  CHECK(text_of(R"("a\u0000b")") == std::string("a\0b", 3));
}

TEST_CASE("a bad escape, half a surrogate pair and a control character are no JSON", "[spec][json]") {
  for (const char* text : {R"("\x")", R"("\u12g4")", R"("\u12")", R"("\ud800")", R"("\udc00")",
                           R"("\ud800\u0041")", R"("\ud800x")", R"("\)", R"("\")", "\"\n\"", "\"\x01\""}) {
    INFO(text);
    CHECK_FALSE(is_json(text));
  }
}

TEST_CASE("only the UTF-8 of RFC 3629 is taken", "[spec][json]") {
  for (const char* good : {"\"\xc2\x80\"", "\"\xe0\xa0\x80\"", "\"\xed\x9f\xbf\"", "\"\xf0\x90\x80\x80\"",
                           "\"\xf4\x8f\xbf\xbf\""}) {
    CHECK(is_json(good));
  }
  for (const char* bad :
       {"\"\x80\"", "\"\xc0\x80\"", "\"\xc3\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"",
        "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\""}) {
    CHECK_FALSE(is_json(bad));
  }
}

TEST_CASE("what is almost JSON is none", "[spec][json]") {
  for (const char* text :
       {"",      " ",     "{",      "}",   "[1,]",  "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "{a:1}", "{1:2}", "01",     "-",   "1.",    ".5",    "1e",      "1e+",      "+1",
        "tru",   "nul",   "falsey", "\"a", "[] []", "'a'",   "NaN",     "[1}",      "{\"a\":1]"}) {
    INFO(text);
    CHECK_FALSE(is_json(text));
  }
}

TEST_CASE("a null byte ends nothing", "[spec][json]") {
  CHECK_FALSE(is_json(std::string_view("1\0", 2)));
  CHECK_FALSE(is_json(std::string_view("{}\0{}", 5)));
}

TEST_CASE("nesting ends at a thousand levels", "[spec][json]") {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + "1" + std::string(levels, ']');
  };
  CHECK(is_json(nested(JsonTree::kMostLevels)));
  CHECK_FALSE(is_json(nested(JsonTree::kMostLevels + 1)));
  CHECK_FALSE(is_json(nested(1'000'000)));
}

}  // namespace capsule::spec
