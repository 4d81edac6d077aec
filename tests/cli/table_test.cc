#include "runtime/cli/table.h"

#include "tests/support/catch.h"

using namespace capsule::cli;

TEST_CASE("columns are spaced as runc spaces them", "[cli][table]") {
  struct Case {
    std::vector<std::vector<std::string>> rows;
    std::string_view text;
    std::string_view because;
  };
  const Case cases[] = {
      {{{"ID", "PID", "OWNER"}},
       "ID          PID         OWNER\n",
       "at least 12 wide; the last is not padded"},
      {{{"ID", "PID"}, {"nine-char", "1"}}, "ID          PID\nnine-char   1\n", "9 + 3 is just 12"},
      {{{"ID", "PID"}, {"ten-letter", "1"}},
       "ID           PID\nten-letter   1\n",
       "10 + 3 makes the column wider"},
      {{{"ID", "PID"}, {"\u00fc\u00fc", "1"}},
       "ID          PID\n\u00fc\u00fc          1\n",
       "characters count, not bytes"},
      {{{"ID", "PID"}, {"", "1"}}, "ID          PID\n            1\n", "an empty cell is a cell"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(describe_table(c.rows) == c.text);
  }
}

TEST_CASE("an owner is named if passwd knows the uid, and numbered if not", "[cli][table]") {
  constexpr std::string_view kPasswd =
      "root:x:0:0:root:/root:/bin/sh\n"
      "# a comment\n"
      "broken\n"
      "alice:x:1000:1000::/home/alice:/bin/sh\n"
      "alias:x:1000:1000::/:/bin/sh\n"
      "odd:x:7x:7::/:\n";

  CHECK(owner_name(kPasswd, 0) == "root");
  CHECK(owner_name(kPasswd, 1000) == "alice");
  CHECK(owner_name(kPasswd, 7) == "#7");
  CHECK(owner_name("", 0) == "#0");
}
