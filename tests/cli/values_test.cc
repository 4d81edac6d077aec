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
  struct Case {
    const char* text;
    const char* path;
    log::Service service;
    const char* identifier;
  };
  for (const Case& c :
       {Case{"/l", "/l", log::Service::none, ""}, Case{"file:/l", "/l", log::Service::none, ""},
        Case{"relative:odd", "relative:odd", log::Service::none, ""},
        Case{"syslog", "syslog", log::Service::none, ""},
        Case{"file:syslog:x", "syslog:x", log::Service::none, ""},
        Case{"syslog:id", "", log::Service::syslog, "id"},
        Case{"journald:a:b", "", log::Service::journald, "a:b"}}) {
    INFO(c.text);
    log::Options options{.path = "/earlier", .service = log::Service::syslog, .identifier = "earlier"};
    REQUIRE(parse_log_target(c.text, options).has_value());
    CHECK(options.path == c.path);
    CHECK(options.service == c.service);
    CHECK(options.identifier == c.identifier);
  }
  log::Options options;
  CHECK_FALSE(parse_log_target("journald:", options).has_value());
  CHECK_FALSE(parse_log_target("syslog:", options).has_value());
}
