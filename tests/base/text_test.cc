#include "runtime/base/text.h"

#include <cstdint>

#include "tests/support/catch.h"

namespace capsule {
namespace {

TEST_CASE("a number is parsed whole or not at all", "[base][text]") {
  struct Case {
    const char* text;
    std::optional<std::uint32_t> value;
    const char* because;
  };
  for (const Case& c : {
           Case{"0", 0U, "zero is a number"},
           Case{"4294967295", 4294967295U, "the largest"},
           Case{"4294967296", std::nullopt, "one more does not fit"},
           Case{"", std::nullopt, "nothing is not zero"},
           Case{"1x", std::nullopt, "a rest is left"},
           Case{" 1", std::nullopt, "a blank in front"},
           Case{"1 ", std::nullopt, "a blank behind"},
           Case{"+1", std::nullopt, "a sign that means nothing"},
           Case{"-1", std::nullopt, "there is no negative unsigned number"},
           Case{"0x10", std::nullopt, "another base has to be asked for"},
       }) {
    INFO(c.because);
    CHECK(parse_integer<std::uint32_t>(c.text) == c.value);
  }
  CHECK(parse_integer<int>("-7") == -7);
  CHECK(parse_integer<int>("755", 8) == 0755);
}

TEST_CASE("splitting keeps empty parts, except of nothing", "[base][text]") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("a,b,,c", ',') == Parts{"a", "b", "", "c"});
  CHECK(split("a,", ',') == Parts{"a", ""});
  CHECK(split(",a", ',') == Parts{"", "a"});
  CHECK(split(",", ',') == Parts{"", ""});
  CHECK(split("a", ',') == Parts{"a"});
  CHECK(split("", ',').empty());
}

TEST_CASE("joining puts the separator between parts only", "[base][text]") {
  CHECK(join({"a", "b", "c"}, ", ") == "a, b, c");
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({}, ", ").empty());
  CHECK(cat({"/proc/", "1", "", "/ns"}) == "/proc/1/ns");
}

TEST_CASE("quoting leaves one line that Go's parsers read", "[base][text]") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a \"b\" \\ c") == R"("a \"b\" \\ c")");
  CHECK(quoted("two\nlines") == R"("two\nlines")");
  CHECK(quoted("\x1b[31m\x7f") == R"("\x1b[31m\x7f")");
  CHECK(quoted("f\xc3\xbcr") == "\"f\xc3\xbcr\"");
}

TEST_CASE("a JSON string escapes what RFC 8259 demands and nothing else", "[base][text]") {
  CHECK(json_string("a \"b\" \\") == R"("a \"b\" \\")");
  CHECK(json_string(std::string_view("\0\n\x1f", 3)) == R"("\u0000\u000a\u001f")");
  CHECK(json_string("\x7f f\xc3\xbcr") == "\"\x7f f\xc3\xbcr\"");
}

TEST_CASE("a path of mountinfo has its blanks and backslashes again, and nothing else is taken for one",
          "[base][text]") {
  CHECK(unescape_mountinfo("/two\\040words\\134") == "/two words\\");
  CHECK(unescape_mountinfo("/a\\0401") == "/a 1");
  CHECK(unescape_mountinfo("/a\\04") == "/a\\04");
  CHECK(unescape_mountinfo("/a\\") == "/a\\");
  CHECK(unescape_mountinfo("/a\\890\\777") == "/a\\890\\777");
}

TEST_CASE("upper and lower case concern ASCII letters only, whatever the locale", "[base][text]") {
  CHECK(to_upper("sigkill-9 \xc3\xbc") == "SIGKILL-9 \xc3\xbc");
  CHECK(to_lower("CAP_SYS_ADMIN@[") == "cap_sys_admin@[");
}

}  // namespace
}  // namespace capsule
