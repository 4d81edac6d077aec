#include "spec/json_extent.h"

#include <string>

#include "tests/support/catch.h"

namespace capsule::spec {

TEST_CASE("a value's text is found from object to object", "[spec][json]") {
  const std::string json =
      R"( { "a" : [1, {"b": 2}, "]"] , "b":{"c" : {"d": "}\"{" } , "e":-1.5e3 }, "f":null } )";

  CHECK(find_value(json, {"a"}) == R"([1, {"b": 2}, "]"])");
  CHECK(find_value(json, {"b", "c"}) == R"({"d": "}\"{" })");
  CHECK(find_value(json, {"b", "c", "d"}) == R"("}\"{")");
  CHECK(find_value(json, {"b", "e"}) == "-1.5e3");
  CHECK(find_value(json, {"f"}) == "null");
  CHECK(find_value(json, {"b"}).data() > json.data());
}

TEST_CASE("what is not there has no text", "[spec][json]") {
  for (const char* json :
       {"{}", "[]", "1", "\"a\"", "[{\"a\": 1}]", R"({"b": {"a": 1}})", R"({"\u0061": 1})", ""}) {
    INFO(json);
    CHECK(find_value(json, {"a"}).empty());
    CHECK(find_value(json, {"a", "b"}).empty());
  }
}

TEST_CASE("of equal keys the last one's text counts", "[spec][json]") {
  CHECK(find_value(R"({"a": {"b": 1}, "a": {"b": [2], "b": 3}})", {"a", "b"}) == "3");
  CHECK(find_value(R"({"a": {"b": 1}, "a": 2})", {"a", "b"}).empty());
}

TEST_CASE("a profile's rules are left out and nothing else", "[spec][seccomp]") {
  const std::string before = R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": )";
  const std::string after = R"(, "flags": []}}, "annotations": {"syscalls": "[1]"}})";

  CHECK(without_seccomp_rules(before + R"([{"names": ["a]"], "args": [{"index": 0}]}])" + after) ==
        before + "[]" + after);
  CHECK(without_seccomp_rules(before + "null" + after) == before + "[]" + after);
  for (const char* none : {"{}", R"({"linux": {"seccomp": {}}})", R"({"syscalls": [1]})"})
    CHECK(without_seccomp_rules(none) == none);
}

}  // namespace capsule::spec
