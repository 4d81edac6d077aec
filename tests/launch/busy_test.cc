#include "runtime/launch/busy.h"

#include "tests/support/catch.h"

namespace capsule::launch {

TEST_CASE("what runs or could is read from the load average's line", "[launch][busy]") {
  CHECK(parse_runnable("0.52 0.58 0.59 3/389 12345\n") == 3);
  CHECK(parse_runnable("250.10 1.00 0.00 1024/99999 1") == 1024);
}

TEST_CASE("another line tells nothing", "[launch][busy]") {
  for (const char* line :
       {"", "0.52 0.58 0.59", "0.52 0.58 0.59 3", "0.52 0.58 0.59 /389 1", "0.52 0.58 0.59 x/389 1",
        "0.52 0.58 0.59 -1/389 1", "0.52 0.58 0.59 99999999999999999999/389 1"}) {
    INFO(line);
    CHECK_FALSE(parse_runnable(line).has_value());
  }
}

}  // namespace capsule::launch
