#include "runtime/base/fixed_text.h"

#include <array>
#include <string>
#include <type_traits>

#include "tests/support/catch.h"

namespace capsule {
namespace {

struct Entry {
  FixedText<4> name;
  int value;
};
constexpr auto kEntries = std::to_array({Entry{"", 0}, Entry{"ab", 1}, Entry{"abcd", 2}});

TEST_CASE("a fixed text is its literal, up to all of its capacity", "[base][fixed_text]") {
  CHECK(kEntries[0].name.empty());
  CHECK(kEntries[0].name.view() == "");
  CHECK(kEntries[1].name == "ab");
  CHECK_FALSE(kEntries[1].name == std::string_view("ab\0\0", 4));
  CHECK_FALSE(kEntries[1].name == std::string("abc"));
  CHECK(kEntries[2].name == std::string("abcd"));
  CHECK_FALSE(kEntries[2].name.empty());
}

TEST_CASE("a fixed text holds no pointer: its table can be copied as bytes", "[base][fixed_text]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<FixedText<4>>);
  STATIC_REQUIRE(sizeof(FixedText<4>) == 5);
  const Entry copy = kEntries[2];
  CHECK(copy.name.view().data() != kEntries[2].name.view().data());
  CHECK(copy.name == "abcd");
}

}  // namespace
}  // namespace capsule
