#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using protocol::Frame;
using protocol::Line;

// Init's end and ours. Packets wait in the socket, so that one process can play both sides.
struct Conversation {
  int ours = -1, inits = -1;
  Conversation() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) ::_exit(3);
    ours = ends[0];
    inits = ends[1];
  }
  void tell(Line line) const {
    const Frame frame{line, {}, 0};
    (void)!::write(ours, &frame, sizeof(frame));
  }
  // The lines said so far, each followed by a blank.
  [[nodiscard]] std::string heard() const {
    std::string lines;
    Frame frame{};
    while (::recv(ours, &frame, sizeof(frame), MSG_DONTWAIT) == sizeof(frame))
      lines += std::string(protocol::name_of(frame.line)) + " ";
    return lines;
  }
};

void add_lines(Builder& builder, plan::GateMode mode) {
  builder.add("/hooks", plan::Say{.line = static_cast<std::uint64_t>(Line::rootfs_mounted)});
  builder.add("/hooks", plan::Expect{.line = static_cast<std::uint64_t>(Line::hooks_done)});
  builder.add("", plan::Gate{.mode = mode});
}

std::string converse(const Conversation& conversation, Builder& builder) {
  Performance performance(builder);
  performance.context().sync = performance.context().reply = conversation.inits;
  return performance.perform();
}

TEST_CASE("init says and awaits the lines of its plan, ready last", "[kernel][conversation]") {
  for (const auto mode : {plan::GateMode::none, plan::GateMode::sync}) {
    CHECK(in_new_namespaces([mode] {
            const Conversation conversation;
            conversation.tell(Line::hooks_done);
            conversation.tell(Line::start);
            Builder builder;
            add_lines(builder, mode);
            const std::string failed = converse(conversation, builder);
            return failed + conversation.heard();
          }) == "rootfs_mounted ready ");
  }
}

TEST_CASE("another line than the one that is due is a failure", "[kernel][conversation]") {
  CHECK(in_new_namespaces([] {
          const Conversation conversation;
          conversation.tell(Line::start);
          Builder builder;
          add_lines(builder, plan::GateMode::none);
          return converse(conversation, builder);
        }) == "step 1 expect /hooks: problem " +
                  std::to_string(static_cast<int>(protocol::Problem::unexpected_line)) +
                  " recv hooks_done 0");
}

TEST_CASE("an init whose launcher is gone goes too, and tells nobody", "[kernel][conversation]") {
  CHECK(in_new_namespaces([] {
          const Conversation conversation;
          ::close(conversation.ours);
          Builder builder;
          builder.add("", plan::Expect{.line = static_cast<std::uint64_t>(Line::maps_written)});
          return "went on: " + converse(conversation, builder);
        }) == kDied);
}

// What the other side sees when init's end is closed: "reset" or "end of file".
std::string end_of(const Conversation& conversation) {
  ::close(conversation.inits);
  char byte = 0;
  return ::recv(conversation.ours, &byte, 1, 0) < 0 && errno == ECONNRESET ? "reset" : "end of file";
}

TEST_CASE("start stays unread behind the gate until init takes it, so that its death can be told",
          "[kernel][conversation]") {
  for (const bool takes : {false, true}) {
    CHECK(in_new_namespaces([takes] {
            const Conversation conversation;
            conversation.tell(Line::start);
            Builder builder;
            builder.add("", plan::Gate{.mode = plan::GateMode::sync});
            if (takes) builder.add("", plan::Expect{.line = static_cast<std::uint64_t>(Line::start)});
            const std::string failed = converse(conversation, builder);
            const std::string heard = conversation.heard();
            return failed + heard + end_of(conversation);
          }) == (takes ? "ready end of file" : "ready reset"));
  }
}

int open_gate() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/tmp/gate");
  const int gate = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (::bind(gate, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) ::_exit(3);
  (void)::listen(gate, 8);
  return gate;
}

int knock(const void* bytes, std::size_t size) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/tmp/gate");
  const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) ::_exit(3);
  if (size != 0) (void)!::write(socket, bytes, size);
  return socket;
}

TEST_CASE("the gate opens to whoever says start, and to nobody else", "[kernel][conversation]") {
  CHECK(in_new_namespaces([] {
          const Conversation conversation;
          const int gate = open_gate();
          const Frame wrong{Line::ready, {}, 0}, start{Line::start, {}, 0};
          ::close(knock(nullptr, 0));
          const int refused = knock(&wrong, sizeof(wrong));
          const int cut = knock("x", 1);
          const int opener = knock(&start, sizeof(start));

          Builder builder;
          builder.add("", plan::Gate{.mode = plan::GateMode::listen});
          builder.add("/late", plan::Hostname{.name = builder.text(std::string(65, 'x'))});
          Performance performance(builder);
          performance.context().sync = performance.context().reply = conversation.inits;
          performance.set_descriptor(plan::kGateSlot, gate);
          const std::string failed = performance.perform();
          init::send_failure(performance.context());

          // Errors behind the gate go to whoever opened it; the launcher has left.
          protocol::Failure told{};
          const bool whole = ::recv(opener, &told, sizeof(told), MSG_DONTWAIT) == sizeof(told);
          char byte = 0;
          const bool others = ::recv(refused, &byte, 1, 0) > 0 || ::recv(cut, &byte, 1, 0) > 0;
          return conversation.heard() + failed.substr(0, 21) +
                 (whole ? std::string(" ") + told.field : " nothing") + (others ? " others" : "");
        }) == "ready step 1 hostname /late /late");
}

}  // namespace
}  // namespace capsule::test
