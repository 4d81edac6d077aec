#include "runtime/launch/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>

#include "runtime/base/sys.h"
#include "runtime/launch/interrupts.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::launch {
namespace {

// A service manager's socket, and a container's relay to it, in one directory.
struct World {
  test::Scratch scratch;
  UniqueFd directory = sys::openat(FdRef::cwd(), scratch.path().c_str(), O_RDONLY | O_DIRECTORY).value();
  UniqueFd manager = sys::unix_socket(SOCK_DGRAM | SOCK_NONBLOCK).value();
  NotifyRelay relay = make();

  NotifyRelay make() {
    REQUIRE(sys::unix_bind(manager, directory, "manager").has_value());
    REQUIRE(make_notify_directory(directory).has_value());
    return NotifyRelay::open(directory, scratch.at("manager")).value();
  }
  // What the container does.
  void notify(std::string_view text) const {
    const UniqueFd socket = sys::unix_socket(SOCK_DGRAM).value();
    REQUIRE(sys::unix_connect_path(socket, scratch.at("notify/notify.sock")).has_value());
    REQUIRE(::send(socket.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  // The next datagram at the manager; "" if there is none. Descriptors are closed, as by a manager that has
  // seen the message.
  [[nodiscard]] std::string heard() const {
    std::string text(8192, '\0');
    const ssize_t got = ::recv(manager.get(), text.data(), text.size(), 0);
    return got < 0 ? "" : text.substr(0, static_cast<std::size_t>(got));
  }
};

TEST_CASE("READY is passed on with the pid the host knows, and a barrier", "[launch][notify]") {
  World world;
  world.notify("STATUS=up\nREADY=1\nMAINPID=1");
  world.relay.pass_on(4711);
  CHECK(world.relay.was_ready());
  CHECK(world.heard() == "STATUS=up\nREADY=1\nMAINPID=4711\n");
  CHECK(world.heard() == "BARRIER=1");
  world.relay.finish();  // the manager has closed its end: no waiting
  CHECK(world.heard().empty());
}

TEST_CASE("other lines are passed on as they come, and nothing for those that are not", "[launch][notify]") {
  World world;
  world.notify("STATUS=one");
  world.notify("MAINPID=1");
  world.notify("STOPPING=1\nFDSTORE=1");
  world.relay.pass_on(1);
  CHECK_FALSE(world.relay.was_ready());
  CHECK(world.heard() == "STATUS=one\n");
  CHECK(world.heard() == "STOPPING=1\n");
  CHECK(world.heard().empty());
}

TEST_CASE("a notification that is too long is dropped whole", "[launch][notify]") {
  World world;
  world.notify("READY=1\nSTATUS=" + std::string(5000, 'x'));
  world.relay.pass_on(1);
  CHECK_FALSE(world.relay.was_ready());
  CHECK(world.heard().empty());
}

TEST_CASE("descriptors that the container sends are closed", "[launch][notify]") {
  World world;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  {
    const UniqueFd socket = sys::unix_socket(SOCK_DGRAM).value();
    REQUIRE(sys::unix_connect_path(socket, world.scratch.at("notify/notify.sock")).has_value());
    REQUIRE(sys::send_with_fd(socket, std::string_view("FDSTORE=1"), ends[1]).has_value());
  }
  ::close(ends[1]);
  world.relay.pass_on(1);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == 0);  // end of file: nobody holds the other end
  ::close(ends[0]);
}

TEST_CASE("everybody in the container may write to the socket", "[launch][notify]") {
  const mode_t before = ::umask(077);
  const World world;
  (void)::umask(before);
  struct stat info {};
  REQUIRE(::stat(world.scratch.at("notify/notify.sock").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0777);
  REQUIRE(::stat(world.scratch.at("notify").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0755);
}

TEST_CASE("a manager that is gone is no failure of the container", "[launch][notify]") {
  World world;
  world.manager.reset();
  world.notify("READY=1");
  world.relay.pass_on(1);
  CHECK(world.relay.was_ready());
  world.relay.finish();
}

TEST_CASE("an abstract name is found without a file", "[launch][notify]") {
  const test::Scratch scratch;
  const UniqueFd directory =
      sys::openat(FdRef::cwd(), scratch.path().c_str(), O_RDONLY | O_DIRECTORY).value();
  REQUIRE(make_notify_directory(directory).has_value());
  const UniqueFd manager = sys::unix_socket(SOCK_DGRAM | SOCK_NONBLOCK).value();
  const std::string name = "@capsule-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, name.size());
  address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  REQUIRE(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);

  NotifyRelay relay = NotifyRelay::open(directory, name).value();
  const UniqueFd socket = sys::unix_socket(SOCK_DGRAM).value();
  REQUIRE(sys::unix_connect_path(socket, scratch.at("notify/notify.sock")).has_value());
  REQUIRE(::send(socket.get(), "STOPPING=1", 10, 0) == 10);
  relay.pass_on(1);
  std::string text(64, '\0');
  REQUIRE(::recv(manager.get(), text.data(), text.size(), 0) == 11);
  CHECK(text.substr(0, 11) == "STOPPING=1\n");
}

TEST_CASE("waiting ends with READY, with the container, or with a signal to us", "[launch][notify]") {
  World world;
  const UniqueFd interrupts = open_interrupts().value();
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;)
      ::pause();
  }
  const UniqueFd pidfd = sys::pidfd_open(child).value();

  ::raise(SIGTERM);
  const Status interrupted = wait_until_ready(world.relay, child, pidfd, interrupts);
  REQUIRE_FALSE(interrupted.has_value());
  CHECK(interrupted.error().message() == "wait for the container's READY=1: interrupted (SIGTERM)");

  REQUIRE(sys::pidfd_send_signal(pidfd, SIGKILL).has_value());
  CHECK(wait_until_ready(world.relay, child, pidfd, interrupts).has_value());
  (void)sys::wait_exited(pidfd);
  CHECK_FALSE(world.relay.was_ready());
}

}  // namespace
}  // namespace capsule::launch
