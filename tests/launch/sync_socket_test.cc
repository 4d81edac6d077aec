#include "runtime/launch/sync_socket.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <poll.h>

#include "runtime/base/sys.h"
#include "runtime/launch/interrupts.h"
#include "runtime/plan/plan.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using protocol::Frame;
using protocol::Line;

struct Peer {
  InitProcess process;
  UniqueFd socket;
};

// A process in init's place that does `body` with its end of the conversation.
Peer start_peer(const std::function<void(FdRef)>& body) {
  sys::SocketPair pair = sys::socketpair_seqpacket().value();
  const pid_t pid = ::fork();
  if (pid == 0) {
    pair.ours.reset();
    body(pair.theirs);
    ::_exit(7);
  }
  return {InitProcess(sys::pidfd_open(pid).value(), pid), std::move(pair.ours)};
}

void say(FdRef socket, const void* bytes, std::size_t size) {
  (void)sys::send_with_fd(socket, {static_cast<const char*>(bytes), size}, -1);  // the test notices
}

void fail_to_find_foo(FdRef socket) {
  protocol::Failure failure{};
  failure.frame.line = Line::failed;
  failure.problem = protocol::Problem::not_in_path;
  std::strcpy(failure.object, "foo");
  say(socket, &failure, sizeof(failure));
}

TEST_CASE("a filter is one packet: its line, how long it is, its bytes", "[launch][sync]") {
  sys::SocketPair pair = sys::socketpair_seqpacket().value();
  const std::string program(protocol::kMaxFilter, 'p');

  InitProcess nobody(UniqueFd(), 0);
  REQUIRE(send_filter(pair.ours, program, nobody).has_value());

  std::string packet(protocol::kMaxFilter + 100, '\0');
  const ssize_t got = ::recv(pair.theirs.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  REQUIRE(got == static_cast<ssize_t>(sizeof(Frame) + program.size()));
  Frame frame{};
  std::memcpy(&frame, packet.data(), sizeof(frame));
  CHECK(frame.line == Line::filter);
  CHECK(frame.value == static_cast<int>(program.size()));
  CHECK(packet.compare(sizeof(frame), program.size(), program) == 0);
}

TEST_CASE("the line that is due is taken, with what was sent by us", "[launch][sync]") {
  Peer peer = start_peer([](FdRef socket) {
    const auto got = receive_frame(socket);
    if (got.has_value() && got.value().has_value() && got.value()->line == Line::hooks_done)
      (void)send_line(socket, Line::ready);
  });
  REQUIRE(send_line(peer.socket, Line::hooks_done).has_value());
  CHECK(expect_line(peer.socket, Line::ready, peer.process).has_value());
}

// Until the process is a zombie, and its end of the conversation closed.
void await_end(const Peer& peer) {
  pollfd ended{peer.process.pidfd().get(), POLLIN, 0};
  REQUIRE(::poll(&ended, 1, 10'000) == 1);
}

std::string told_to(Peer& peer, bool filter) {
  await_end(peer);
  const Status said = filter ? send_filter(peer.socket, "flags...program.", peer.process)
                             : send_line(peer.socket, Line::hooks_done, peer.process);
  return said.has_value() ? std::string() : said.error().message();
}

TEST_CASE("who speaks to an init that has failed hears why", "[launch][sync]") {
  for (const bool filter : {true, false}) {
    Peer failed = start_peer(fail_to_find_foo);
    CHECK(told_to(failed, filter).find("executable file not found in $PATH") != std::string::npos);

    Peer killed = start_peer([](FdRef) { ::raise(SIGKILL); });
    CHECK(told_to(killed, filter) == "container init was killed (SIGKILL) before it said ready");
  }
}

TEST_CASE("another line than the one that is due is an error that names both", "[launch][sync]") {
  Peer peer = start_peer([](FdRef socket) { (void)send_line(socket, Line::ready); });
  const Status taken = expect_line(peer.socket, Line::rootfs_mounted, peer.process);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message() == "container init said ready instead of rootfs_mounted");
}

TEST_CASE("end of file is never success: it says how init died and which line was due", "[launch][sync]") {
  for (const Line due : {Line::namespaces_ready, Line::rootfs_mounted, Line::ready}) {
    Peer exited = start_peer([](FdRef) {});
    const Status first = expect_line(exited.socket, due, exited.process);
    REQUIRE_FALSE(first.has_value());
    CHECK(first.error().message() ==
          std::string("container init exited with status 7 before it said ") + protocol::name_of(due));

    Peer killed = start_peer([](FdRef) { ::raise(SIGKILL); });
    const Status second = expect_line(killed.socket, due, killed.process);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().message() ==
          std::string("container init was killed (SIGKILL) before it said ") + protocol::name_of(due));
  }
}

TEST_CASE("in place of any line init may say that it failed", "[launch][sync]") {
  Peer peer = start_peer(fail_to_find_foo);
  const Status taken = expect_line(peer.socket, Line::ready, peer.process);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message() == "exec: \"foo\": executable file not found in $PATH");
}

TEST_CASE("R20 packets of any other size are refused", "[launch][sync]") {
  for (const std::size_t size : {std::size_t{1}, sizeof(Frame) - 1, sizeof(Frame) + 1,
                                 sizeof(protocol::Failure) - 1, sizeof(protocol::Failure)}) {
    INFO(size << " bytes");
    Peer peer = start_peer([size](FdRef socket) {
      const std::string bytes(size, '\x01');
      say(socket, bytes.data(), bytes.size());
    });
    const Status taken = expect_line(peer.socket, Line::maps_written, peer.process);
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().message() == "container init sent a malformed message");
  }
}

TEST_CASE("R20 texts of a failure that do not end are cut, not read past", "[launch][sync]") {
  Peer peer = start_peer([](FdRef socket) {
    protocol::Failure failure;
    std::memset(&failure, 'x', sizeof(failure));
    failure.frame.line = Line::failed;
    failure.problem = protocol::Problem::below_proc;
    failure.kind = 0;
    say(socket, &failure, sizeof(failure));
  });
  const Status taken = expect_line(peer.socket, Line::ready, peer.process);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message().size() < protocol::kMaxField + protocol::kMaxObject +
                                             sizeof("cannot be mounted because it lies inside /proc") + 10);
}

TEST_CASE("start has succeeded when the peer took it and closed", "[launch][sync]") {
  Peer peer = start_peer([](FdRef socket) { (void)receive_frame(socket); });
  CHECK(start_program(peer.socket, &peer.process).has_value());
}

TEST_CASE("a peer that dies with start unread has not executed anything", "[launch][sync]") {
  Peer exited = start_peer([](FdRef) {});
  const Status first = start_program(exited.socket, &exited.process);
  REQUIRE_FALSE(first.has_value());
  CHECK(first.error().message() == "container init exited with status 7 before it executed the program");

  Peer killed = start_peer([](FdRef socket) {
    char byte = 0;
    (void)::recv(socket.get(), &byte, 1, MSG_PEEK);  // it has seen it, and not taken it
    ::raise(SIGKILL);
  });
  const Status second = start_program(killed.socket, &killed.process);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message() == "container init was killed (SIGKILL) before it executed the program");

  Peer strangers = start_peer([](FdRef) {});
  const Status third = start_program(strangers.socket, nullptr);
  REQUIRE_FALSE(third.has_value());
  CHECK(third.error().message() == "container init died before it executed the program");
}

void say_that_a_hook_failed(FdRef socket) {
  protocol::Failure failure{};
  failure.frame.line = Line::failed;
  failure.problem = protocol::Problem::hook_failed;
  failure.kind = static_cast<std::uint16_t>(plan::StepKind::run_hook);
  failure.err = 3;
  std::strcpy(failure.field, "/hooks/startContainer/0");
  say(socket, &failure, sizeof(failure));
}

TEST_CASE("what init said last is heard although start was left unread, or came too late", "[launch][sync]") {
  const bool waits = GENERATE(true, false);
  Peer peer = start_peer([waits](FdRef socket) {
    char byte = 0;
    if (waits) (void)::recv(socket.get(), &byte, 1, MSG_PEEK);
    say_that_a_hook_failed(socket);
  });
  pollfd ended{peer.process.pidfd().get(), POLLIN, 0};
  if (!waits) REQUIRE(::poll(&ended, 1, 10'000) == 1);

  const Status started = start_program(peer.socket, &peer.process);

  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().kind() == ErrorKind::hook);
  CHECK(started.error().message().find("error running hook /hooks/startContainer/0: exit status 3") == 0);
}

TEST_CASE("waiting for a line ends with the signal that asks for it", "[launch][sync]") {
  const UniqueFd interrupts = open_interrupts().value();
  Peer peer = start_peer([](FdRef) {
    for (;;)
      ::pause();
  });
  ::raise(SIGTERM);
  const Status taken = expect_line(peer.socket, Line::ready, peer.process, interrupts);
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message() == "interrupted (SIGTERM) while waiting for container init to say ready");
}

TEST_CASE("a signal that our parent made us ignore interrupts nothing", "[launch][sync]") {
  const UniqueFd interrupts = open_interrupts().value();
  void (*const before)(int) = std::signal(SIGHUP, SIG_IGN);
  ::raise(SIGHUP);
  CHECK(check_interrupts(interrupts).has_value());
  (void)std::signal(SIGHUP, before);
}

TEST_CASE("forked without the new process's descriptor is refused", "[launch][sync]") {
  Peer peer = start_peer([](FdRef socket) {
    const Frame frame{Line::forked, {}, 1};
    say(socket, &frame, sizeof(frame));
  });
  const Result<InitProcess> next = expect_forked(peer.socket, peer.process);
  REQUIRE_FALSE(next.has_value());
  CHECK(next.error().message() == "container init sent a malformed message");
}

TEST_CASE("the process that forked is followed by the one it names", "[launch][sync]") {
  const pid_t next_pid = ::fork();
  if (next_pid == 0) {
    for (;;)
      ::pause();
  }
  const UniqueFd pidfd = sys::pidfd_open(next_pid).value();
  Peer peer = start_peer([&](FdRef socket) {
    const Frame frame{Line::forked, {}, next_pid};
    (void)sys::send_with_fd(socket, {reinterpret_cast<const char*>(&frame), sizeof(frame)}, pidfd.get());
  });
  {
    const Result<InitProcess> next = expect_forked(peer.socket, peer.process);
    REQUIRE(next.has_value());
    CHECK(next.value().pid() == next_pid);
  }
  // Not kept: killed and reaped when it went out of scope.
  CHECK(::waitpid(next_pid, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

}  // namespace
}  // namespace capsule::launch
