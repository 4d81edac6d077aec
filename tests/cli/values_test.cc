#include "runtime/cli/values.h"

#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

TEST_CASE("uid and gid are whole numbers in range or nothing", "[cli][values]") {
  struct Case {
    std::string_view text;
    bool accepted;
    std::uint32_t uid;
    std::optional<std::uint32_t> gid;
    std::string_view because;
  };
  const Case cases[] = {
      {"0", true, 0, std::nullopt, "root"},
      {"1000", true, 1000, std::nullopt, "the gid stays what it was"},
      {"1000:0", true, 1000, 0, "both"},
      {"4294967294:4294967294", true, 4294967294, 4294967294, "the largest ids"},
      {"4294967295", false, 0, std::nullopt, "setuid(2) takes (uid_t)-1 for \"unchanged\""},
      {"0:4294967295", false, 0, std::nullopt, "the same for groups"},
      {"4294967296", false, 0, std::nullopt, "would wrap around to 0, CVE-2026-30892"},
      {"18446744073709551616", false, 0, std::nullopt, "would wrap around to 0, too"},
      {"-1", false, 0, std::nullopt, "no negative ids"},
      {"+1", false, 0, std::nullopt, "digits only"},
      {" 1", false, 0, std::nullopt, "digits only"},
      {"1 ", false, 0, std::nullopt, "digits only"},
      {"0x0", false, 0, std::nullopt, "decimal only"},
      {"", false, 0, std::nullopt, "an empty word is not root"},
      {":", false, 0, std::nullopt, "nothing at all"},
      {":5", false, 0, std::nullopt, "no user"},
      {"5:", false, 0, std::nullopt, "no group after the colon"},
      {"5:6:7", false, 0, std::nullopt, "too many"},
      {"root", false, 0, std::nullopt, "names belong to the image, which we do not read"},
  };
  for (const Case& c : cases) {
    INFO(c.text << ": " << c.because);
    launch::ExecOptions options;
    const Status status = parse_user(c.text, options);
    CHECK(status.has_value() == c.accepted);
    if (!c.accepted) continue;
    CHECK(options.uid == c.uid);
    CHECK(options.gid == c.gid);
  }
}

TEST_CASE("a root that is the host's / in any spelling is refused", "[cli][values]") {
  for (const std::string_view text : {"/", "//", "/.", "/./", "/..", "/../..//."}) {
    INFO(text);
    CHECK_FALSE(parse_root(text).has_value());
  }
  for (const std::string_view text : {"/run/capsule", "relative", ".", "/a/..b", "/..."}) {
    INFO(text);
    CHECK(parse_root(text).has_value());
  }
}

TEST_CASE("switches take what Go prints and nothing else", "[cli][values]") {
  for (const std::string_view text : {"true", "TRUE", "True", "t", "T", "1"})
    CHECK(parse_switch("--x", text).value());
  for (const std::string_view text : {"false", "FALSE", "False", "f", "F", "0"}) {
    CHECK_FALSE(parse_switch("--x", text).value());
  }
  for (const std::string_view text : {"", "yes", "on", "2", "tRUE"})
    CHECK_FALSE(parse_switch("--x", text).has_value());
}

TEST_CASE("a log target is a path, with crun's prefix or without", "[cli][values]") {
  CHECK(parse_log_target("/l").value() == "/l");
  CHECK(parse_log_target("file:/l").value() == "/l");
  CHECK(parse_log_target("relative:odd").value() == "relative:odd");
  CHECK_FALSE(parse_log_target("journald:id").has_value());
  CHECK_FALSE(parse_log_target("syslog:id").has_value());
}
