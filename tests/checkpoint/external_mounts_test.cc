#include "runtime/checkpoint/external_mounts.h"

#include "tests/support/catch.h"

namespace capsule::checkpoint {
namespace {

constexpr const char* kMountinfo =
    "500 490 0:50 / / ro,relatime - overlay overlay rw\n"
    "501 500 0:51 / /proc rw,nosuid - proc proc rw\n"
    "502 500 8:1 /srv/data /data rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "503 500 8:1 /srv/two\\040words /two\\040words rw,relatime - ext4 /dev/sda1 rw\n"
    "504 500 8:1 /srv/x /a]:b rw - ext4 /dev/sda1 rw\n"
    "505 500 8:1 /srv/y /new\\012line rw - ext4 /dev/sda1 rw\n"
    "506 500 8:1 /srv/z /back\\134slash\\09 rw - ext4 /dev/sda1 rw\n";

std::string message_of(const std::string& target) {
  const auto planned = plan_external_mounts(kMountinfo, {{4, target}});
  return planned.has_value() ? "accepted" : planned.error().message();
}

TEST_CASE("R21 CRIU knows a mount by where it lies and by a token of ours", "[checkpoint]") {
  const auto planned = plan_external_mounts(kMountinfo, {{3, "/two words"}, {7, "/data"}});

  REQUIRE(planned.has_value());
  REQUIRE(planned.value().size() == 2);
  CHECK(planned.value()[0].mountpoint == "/two words");
  CHECK(planned.value()[0].token == "m0");
  CHECK(planned.value()[0].mount == 3);
  CHECK(planned.value()[1].mountpoint == "/data");
  CHECK(planned.value()[1].token == "m1");
  CHECK(planned.value()[1].mount == 7);
}

TEST_CASE("R21 a mount point that CRIU would take for syntax is refused although it is mounted",
          "[checkpoint]") {
  CHECK(message_of("/a]:b") ==
        "/mounts/4/destination: CRIU would misread the mount point \"/a]:b\", so it cannot be checkpointed");
  CHECK(message_of("/new\nline").find("CRIU would misread") != std::string::npos);
}

TEST_CASE("R21 a mount point is named canonically or not at all", "[checkpoint]") {
  for (const char* target : {"", "/", "data", "/data/", "//data", "/./data", "/x/../data", "/data/.."}) {
    INFO(target);
    CHECK(message_of(target).find("CRIU would misread") != std::string::npos);
  }
}

TEST_CASE("R21 what is not mounted where it should be is not dumped", "[checkpoint]") {
  CHECK(message_of("/srv/data") == "nothing is mounted on \"/srv/data\" in the container");
  CHECK(plan_external_mounts("", {{0, "/data"}}).has_value() == false);
}

TEST_CASE("mountinfo escapes are undone, and a backslash that escapes nothing stays", "[checkpoint]") {
  CHECK(message_of("/back\\slash\\09") == "accepted");
}

}  // namespace
}  // namespace capsule::checkpoint
