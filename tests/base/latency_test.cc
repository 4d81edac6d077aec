#include "runtime/base/latency.h"

#include <string>

#include "runtime/base/log.h"
#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scratch.h"

namespace capsule {
namespace {

std::string log_after_two_parts(log::Level threshold) {
  const test::Scratch scratch;
  CHECK(test::in_child(scratch.at("stderr"), [&] {
          if (!log::open({.path = scratch.at("log"), .threshold = threshold}).has_value()) return false;
          latency::mark("first");
          latency::mark("second");
          latency::report();
          return true;
        }) == 0);
  return scratch.content("log");
}

}  // namespace

TEST_CASE("a part is told with its microseconds, right-aligned", "[base][latency]") {
  CHECK(latency::describe_part("plan made", 412'999) == "latency       412 us  plan made");
  CHECK(latency::describe_part("in all", 0) == "latency         0 us  in all");
  CHECK(latency::describe_part("program", 12'345'678'901'234) == "latency 12345678901 us  program");
}

TEST_CASE("the parts are logged in their order, and their sum last", "[base][latency]") {
  const std::string text = log_after_two_parts(log::Level::debug);

  const std::size_t first = text.find(" us  first");
  const std::size_t second = text.find(" us  second");
  const std::size_t sum = text.find(" us  in all");
  CHECK(first < second);
  CHECK(second < sum);
  CHECK(sum != std::string::npos);
}

TEST_CASE("no part is noted unless debug events are logged", "[base][latency]") {
  CHECK(log_after_two_parts(log::Level::info).empty());
}

}  // namespace capsule
