#include "runtime/container/owner.h"

#include "tests/support/catch.h"

using capsule::container::find_user_name;

TEST_CASE("a user is found in passwd by id, strictly parsed", "[container][owner]") {
  constexpr std::string_view kPasswd =
      "root:x:0:0:root:/root:/bin/bash\n"
      "broken\n"
      "letters:x:12a:12::/:/bin/sh\n"
      "ada:x:1000:1000:Ada,,,:/home/ada:/bin/bash\n"
      "alias:x:1000:1000::/home/ada:/bin/bash\n";
  struct Case {
    uid_t uid;
    std::optional<std::string> name;
    const char* because;
  };
  const Case cases[] = {
      {0, "root", "the first line counts"},
      {1000, "ada", "of two names for an id, the first is the one that libc finds"},
      {12, std::nullopt, "12a is no id"},
      {4711, std::nullopt, "nobody has it"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(find_user_name(kPasswd, c.uid) == c.name);
  }
}

TEST_CASE("nobody is found in an empty passwd", "[container][owner]") {
  CHECK(find_user_name("", 0) == std::nullopt);
}
