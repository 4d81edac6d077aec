#include "runtime/base/clock.h"

#include <cstdlib>
#include <ctime>
#include <regex>

#include "tests/support/catch.h"

namespace capsule {
namespace {

std::time_t parse(const std::string& text) {
  tm parts{};
  REQUIRE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr);
  return ::timegm(&parts);
}

TEST_CASE("the time is now, in UTC, whatever zone the host is in", "[base][clock]") {
  ::setenv("TZ", "Pacific/Kiritimati", 1);  // 14 hours ahead
  const std::time_t before = std::time(nullptr);
  const std::time_t now = parse(now_rfc3339(Fraction::none));
  const std::time_t after = std::time(nullptr);
  ::unsetenv("TZ");
  CHECK(now >= before - 1);  // time() may lag behind by a tick
  CHECK(now <= after + 1);
}

TEST_CASE("nanoseconds have all their nine digits", "[base][clock]") {
  for (int again = 0; again < 50; ++again) {
    const std::string text = now_rfc3339(Fraction::nanoseconds);
    INFO(text);
    CHECK(std::regex_match(text, std::regex("[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\\.[0-9]{9}Z")));
  }
}

}  // namespace
}  // namespace capsule
