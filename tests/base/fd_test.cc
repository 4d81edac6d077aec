#include "runtime/base/fd.h"

#include <fcntl.h>

#include "tests/support/catch.h"

namespace capsule {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST_CASE("an owner closes its descriptor when it goes out of scope", "[base][fd]") {
  const int number = open_null();
  {
    const UniqueFd owner(number);
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("a moved-from owner owns nothing, and the descriptor stays open", "[base][fd]") {
  const int number = open_null();
  UniqueFd first(number);
  const UniqueFd second(std::move(first));
  CHECK_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that it is empty is the point
  CHECK(second.get() == number);
  CHECK(is_open(number));
}

TEST_CASE("assignment closes what was owned before", "[base][fd]") {
  const int before = open_null();
  UniqueFd owner(before);
  owner = UniqueFd(open_null());
  CHECK_FALSE(is_open(before));
  CHECK(is_open(owner.get()));
}

TEST_CASE("a released descriptor is the caller's to close", "[base][fd]") {
  int number = -1;
  {
    UniqueFd owner(open_null());
    number = owner.release();
    CHECK_FALSE(owner.is_open());
  }
  CHECK(is_open(number));
  const UniqueFd again(number);
}

TEST_CASE("lending does not give away", "[base][fd]") {
  const UniqueFd owner(open_null());
  {
    const FdRef lent = owner;
    CHECK(lent.get() == owner.get());
  }
  CHECK(is_open(owner.get()));
  CHECK(FdRef::cwd().get() == AT_FDCWD);
}

TEST_CASE("a descriptor cannot be lent by a temporary that is about to close", "[base][fd]") {
  CHECK_FALSE(std::is_convertible_v<UniqueFd, FdRef>);
  CHECK(std::is_convertible_v<const UniqueFd&, FdRef>);
}

}  // namespace
}  // namespace capsule
