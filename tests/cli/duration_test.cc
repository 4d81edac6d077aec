#include "runtime/cli/duration.h"

#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

TEST_CASE("durations are Go's: numbers with units, and perhaps places", "[cli][duration]") {
  struct Case {
    std::string_view text;
    long long milliseconds;
  };
  const Case cases[] = {
      {"5s", 5000},
      {"500ms", 500},
      {"1m30s", 90'000},
      {"1h", 3'600'000},
      {"1.5s", 1500},
      {".5s", 500},
      {"2.s", 2000},
      {"+1s", 1000},
      {"1ns", 1},
      {"1500us", 2},
      {"1000\u00b5s", 1},
      {"1h0.25s", 3'600'250},
      {"8784h", 31'622'400'000},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE(parse_duration("--interval", c.text).has_value());
    CHECK(parse_duration("--interval", c.text).value().count() == c.milliseconds);
  }
}

TEST_CASE("what is no duration, or none that can be waited for, is refused and quoted", "[cli][duration]") {
  struct Case {
    std::string_view text, why;
  };
  const Case cases[] = {
      {"", "must be a duration like 5s, 500ms or 1m30s"},
      {"5", "must be a duration like 5s, 500ms or 1m30s"},
      {"s", "must be a duration like 5s, 500ms or 1m30s"},
      {"5x", "must be a duration like 5s, 500ms or 1m30s"},
      {".s", "must be a duration like 5s, 500ms or 1m30s"},
      {"5 s", "must be a duration like 5s, 500ms or 1m30s"},
      {"5s ", "must be a duration like 5s, 500ms or 1m30s"},
      {"--5s", "must be a duration like 5s, 500ms or 1m30s"},
      {"0", "must be greater than 0"},
      {"0s", "must be greater than 0"},
      {"-5s", "must be greater than 0"},
      {"8784h1ns", "must be at most 8784h, a year"},
      {"99999999999999999999h", "must be at most 8784h, a year"},
  };
  for (const Case& c : cases) {
    const Result<std::chrono::milliseconds> duration = parse_duration("--interval", c.text);
    INFO(c.text);
    REQUIRE_FALSE(duration.has_value());
    CHECK(duration.error().message() ==
          "invalid value \"" + std::string(c.text) + "\" for --interval: " + std::string(c.why));
  }
}
