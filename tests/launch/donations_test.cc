#include "runtime/launch/donations.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/sys.h"
#include "runtime/plan/view.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::launch {
namespace {

using plan::Donation;
using Kind = Donation::Kind;

UniqueFd open_null() {
  return sys::openat(FdRef::cwd(), "/dev/null", O_RDONLY).value();
}

TEST_CASE("every descriptor is numbered above those of the application", "[launch][donations]") {
  constexpr int kLowest = 50;
  Donations donations(kLowest);
  REQUIRE(donations.put(plan::kSyncSlot, open_null()).has_value());
  REQUIRE(donations.put(4, open_null()).has_value());
  const int kept = donations.keep(open_null()).value();

  CHECK(kept >= kLowest);
  CHECK(donations.table().size() == 5);
  CHECK(donations.table()[plan::kGateSlot] == -1);
  CHECK(donations.numbers().size() == 3);
  for (const int number : donations.numbers()) {
    CHECK(number >= kLowest);
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("a descriptor that is high enough keeps its number", "[launch][donations]") {
  const UniqueFd null = open_null();
  UniqueFd high = sys::dup_above(null, 60).value();
  const int number = high.get();
  Donations donations(50);
  REQUIRE(donations.put(plan::kSyncSlot, std::move(high)).has_value());
  CHECK(donations.table()[plan::kSyncSlot] == number);
}

TEST_CASE("nothing is open any more once the donations are gone", "[launch][donations]") {
  std::vector<int> numbers;
  {
    Donations donations(3);
    REQUIRE(donations.put(2, open_null()).has_value());
    (void)donations.keep(open_null()).value();
    numbers = donations.numbers();
  }
  for (const int number : numbers)
    CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("sockets are put by the caller and not opened, a foreground terminal neither",
          "[launch][donations]") {
  Donations donations(3);
  REQUIRE(donations
              .open({Donation{.kind = Kind::sync_socket}, Donation{.kind = Kind::gate_socket},
                     Donation{.kind = Kind::process}, Donation{.kind = Kind::console_socket}})
              .has_value());
  CHECK(donations.table() == std::vector<std::int32_t>{-1, -1, -1, -1});
}

TEST_CASE("a namespace is opened if it is one of the type asked for", "[launch][donations]") {
  struct Case {
    const char* source;
    std::uint64_t flag;
    const char* error;
  };
  for (const Case& c : {
           Case{"/proc/self/ns/uts", CLONE_NEWUTS, ""},
           Case{"/proc/self/ns/uts", CLONE_NEWNET,
                "/linux/namespaces/0: \"/proc/self/ns/uts\" is a namespace of another type"},
           Case{"/dev/null", CLONE_NEWUTS, "/linux/namespaces/0: \"/dev/null\" is not a namespace"},
       }) {
    Donations donations(3);
    const Status opened = donations.open({Donation{
        .kind = Kind::name_space, .source = c.source, .field = "/linux/namespaces/0", .clone_flag = c.flag}});
    CHECK((opened.has_value() ? std::string() : opened.error().message()) == c.error);
  }
}

TEST_CASE("what cannot be opened is told with the field that asked for it", "[launch][donations]") {
  Donations donations(3);
  const Status opened = donations.open(
      {Donation{.kind = Kind::process_root, .source = "/nonexistent/root", .field = "/process/x"}});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ENOENT);
  CHECK(opened.error().message().find("/process/x: ") == 0);
}

TEST_CASE("a console socket is connected, and one where nobody listens is an error", "[launch][donations]") {
  const test::Scratch scratch;
  const UniqueFd dir = sys::openat(FdRef::cwd(), scratch.path().c_str(), O_PATH | O_DIRECTORY).value();
  const UniqueFd listener = sys::unix_socket(SOCK_STREAM).value();
  REQUIRE(sys::unix_bind(listener, dir, "console.sock").has_value());
  const std::vector<Donation> donated = {Donation{
      .kind = Kind::console_socket, .source = scratch.at("console.sock"), .field = "--console-socket"}};

  Donations refused(3);
  const Status opened = refused.open(donated);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ECONNREFUSED);
  CHECK(opened.error().message().find("--console-socket: ") == 0);

  REQUIRE(sys::listen(listener, 1).has_value());
  Donations donations(3);
  REQUIRE(donations.open(donated).has_value());
  CHECK(donations.table()[0] >= 3);
}

TEST_CASE("the table is written into the image where the view looks for it", "[launch][donations]") {
  plan::Builder builder;
  const std::uint16_t slot = builder.donate({.kind = Kind::rootfs});
  builder.add("", plan::Pivot{});
  std::string image = builder.finish();
  fill_descriptor_table(image, {7, -1, 9});

  const plan::View view = plan::View::verify(image.data(), image.size());
  REQUIRE(view.ok());
  CHECK(view.descriptor(plan::kSyncSlot) == 7);
  CHECK(view.descriptor(plan::kGateSlot) == -1);
  CHECK(view.descriptor(slot) == 9);
}

}  // namespace
}  // namespace capsule::launch
