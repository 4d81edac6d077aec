#include "runtime/launch/processors.h"

#include <sched.h>

#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

int allowed_now() {
  cpu_set_t set;
  REQUIRE(::sched_getaffinity(0, sizeof(set), &set) == 0);
  return CPU_COUNT(&set);
}

// Whatever a case does, those after it run where they could.
struct Leaving {
  ~Leaving() { leave_processor(); }
};

}  // namespace

TEST_CASE("our own processor and the others are all that we are allowed", "[launch][processors]") {
  CHECK(own_processor().count() == 1);
  CHECK(allowed_processors().count() == static_cast<std::size_t>(allowed_now()));
  CHECK(other_processors().count() == allowed_processors().count() - 1);
}

TEST_CASE("we stay on one processor until we leave it", "[launch][processors]") {
  if (allowed_now() < 2) return;  // there is nothing to stay away from
  const Leaving leaving;
  const int before = allowed_now();

  stay_on_processor();
  CHECK(allowed_now() == 1);
  const Processors own = own_processor();
  stay_on_processor();
  CHECK(own_processor().mask == own.mask);
  CHECK(allowed_processors().count() == static_cast<std::size_t>(before));
  CHECK(other_processors().count() == static_cast<std::size_t>(before) - 1);

  leave_processor();
  CHECK(allowed_now() == before);
  leave_processor();
  CHECK(allowed_now() == before);
}

}  // namespace capsule::launch
