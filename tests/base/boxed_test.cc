#include "runtime/base/boxed.h"

#include <string>

#include "tests/support/catch.h"

namespace capsule {
namespace {

struct Large {
  std::string name;
};

}  // namespace

TEST_CASE("a boxed value is there, or is not", "[base][boxed]") {
  Boxed<Large> box;
  CHECK_FALSE(box.has_value());
  CHECK(box.value_or(Large{"otherwise"}).name == "otherwise");

  box = Large{"one"};
  CHECK(box.has_value());
  CHECK(box->name == "one");
  CHECK((*box).name == "one");
  CHECK(box.value_or(Large{"otherwise"}).name == "one");

  box.reset();
  CHECK_FALSE(box.has_value());
  box.emplace().name = "two";
  CHECK(box.value().name == "two");
  box = std::nullopt;
  CHECK_FALSE(box.has_value());
}

TEST_CASE("a copy has a value of its own", "[base][boxed]") {
  const Boxed<Large> first = Large{"one"};
  Boxed<Large> second = first;
  second->name = "two";
  CHECK(first->name == "one");

  second = first;
  CHECK(second->name == "one");
  CHECK(&*second != &*first);
  const Boxed<Large>& same = second;
  second = same;
  CHECK(second->name == "one");
  second = Boxed<Large>();
  CHECK_FALSE(second.has_value());
}

TEST_CASE("what is moved stays where it lies", "[base][boxed]") {
  Boxed<Large> first = Large{"one"};
  const Large* where = &*first;
  const Boxed<Large> second = std::move(first);
  CHECK(&*second == where);
  CHECK(sizeof(second) == sizeof(void*));
}

}  // namespace capsule
