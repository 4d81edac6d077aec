#include "runtime/base/errno_text.h"

#include <cstring>

#include "tests/support/catch.h"

// The table against the C library these tests are linked with.
TEST_CASE("every errno that glibc names has that name", "[base][errno]") {
  int named = 0;
  for (int err = 1; err < 4096; ++err) {
    const char* name = ::strerrorname_np(err);
    const std::string text = capsule::describe_errno(err);
    CAPTURE(err, text);
    if (name == nullptr) {
      CHECK(text == "errno " + std::to_string(err));
    } else {
      CHECK(text.ends_with(std::string(" (") + name + ")"));
      ++named;
    }
  }
  CHECK(named > 120);
}
