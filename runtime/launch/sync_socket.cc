#include "runtime/launch/sync_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/interrupts.h"
#include "runtime/process/plan.h"

namespace capsule::launch {
namespace {

using protocol::Frame;
using protocol::Line;

std::string describe_end(const sys::ExitStatus& end) {
  if (!end.signaled) return cat({"exited with status ", std::to_string(end.code)});
  return cat({"was killed (", process::describe_signal(end.code), ")"});
}

// Init closed the conversation before its time: say how it ended.
std::string reap_and_describe(InitProcess& init) {
  const Result<sys::ExitStatus> end = init.reap();
  return end.has_value() ? describe_end(end.value()) : "disappeared";
}

Error describe_death(InitProcess& init, Line due) {
  return Error::peer(
      cat({"container init ", reap_and_describe(init), " before it said ", protocol::name_of(due)}));
}

Error describe_death_behind_gate(InitProcess* init) {
  const std::string how = init != nullptr ? reap_and_describe(*init) : "died";
  return Error::peer(cat({"container init ", how, " before it executed the program"}));
}

struct Packet {
  std::array<char, sizeof(protocol::Failure)> bytes;
  std::size_t size;
  int fd;
  bool was_reset;  // it ended with a line of ours unread
};

Result<Packet> receive_packet(FdRef socket) {
  Packet packet{{}, 0, -1, false};
  iovec part{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
    // Told once and before what was said last, which is still to be read.
    if (got < 0 && errno == ECONNRESET && !packet.was_reset) packet.was_reset = true, errno = EINTR;
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Error::system("recvmsg", errno, "sync socket");
  packet.size = static_cast<std::size_t>(got);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS)
    std::memcpy(&packet.fd, CMSG_DATA(header), sizeof(packet.fd));
  return packet;
}

Result<std::optional<Frame>> open_packet(const Packet& packet) {
  if (packet.size == 0) return std::optional<Frame>();
  if (packet.size == sizeof(protocol::Failure)) {
    protocol::Failure failure;  // NOLINT(cppcoreguidelines-pro-type-member-init): copied into
    std::memcpy(&failure, packet.bytes.data(), sizeof(failure));
    failure.field[sizeof(failure.field) - 1] = '\0';
    failure.call[sizeof(failure.call) - 1] = '\0';
    failure.object[sizeof(failure.object) - 1] = '\0';
    if (failure.frame.line == Line::failed) return describe_failure(failure);
  }
  if (packet.size != sizeof(Frame)) return Error::peer("container init sent a malformed message");
  Frame frame;
  std::memcpy(&frame, packet.bytes.data(), sizeof(frame));
  return std::optional<Frame>(frame);
}

Status check_line(const Frame& frame, Line due) {
  if (frame.line == due) return {};
  return Error::peer(
      cat({"container init said ", protocol::name_of(frame.line), " instead of ", protocol::name_of(due)}));
}

bool is_gone(const Status& said) {
  return !said.has_value() && (said.error().code() == EPIPE || said.error().code() == ECONNRESET);
}

// What it said before it went is still to be read.
Status ask_if_gone(Status said, FdRef socket, InitProcess& init) {
  if (is_gone(said)) TRY(expect_line(socket, Line::ready, init));
  return said;
}

}  // namespace

Status send_line(FdRef socket, Line line) {
  const Frame frame{line, {}, 0};
  return sys::send_with_fd(socket, {reinterpret_cast<const char*>(&frame), sizeof(frame)}, -1)
      .context("tell init ", protocol::name_of(line));
}

Status send_line(FdRef socket, Line line, InitProcess& init) {
  return ask_if_gone(send_line(socket, line), socket, init);
}

Status send_filter(FdRef socket, std::string_view program, InitProcess& init) {
  const Frame frame{Line::filter, {}, static_cast<std::int32_t>(program.size())};
  const std::string packet = cat({{reinterpret_cast<const char*>(&frame), sizeof(frame)}, program});
  Status said = sys::send_with_fd(socket, {packet.data(), packet.size()}, -1)
                    .context("tell init ", protocol::name_of(Line::filter));
  return ask_if_gone(std::move(said), socket, init);
}

Result<std::optional<Frame>> receive_frame(FdRef socket) {
  const Packet packet = TRY(receive_packet(socket));
  const UniqueFd unwanted(packet.fd);
  return open_packet(packet);
}

Result<Frame> expect_frame(FdRef socket, Line line, InitProcess& init, FdRef interrupts) {
  TRY(wait_readable(socket, interrupts, cat({"container init to say ", protocol::name_of(line)})));
  const std::optional<Frame> frame = TRY(receive_frame(socket));
  if (!frame.has_value()) return describe_death(init, line);
  TRY(check_line(*frame, line));
  return *frame;
}

Status expect_line(FdRef socket, Line line, InitProcess& init, FdRef interrupts) {
  TRY(expect_frame(socket, line, init, interrupts));
  return {};
}

Result<InitProcess> expect_forked(FdRef socket, InitProcess& init, FdRef interrupts) {
  TRY(wait_readable(socket, interrupts, "container init to say forked"));
  const Packet packet = TRY(receive_packet(socket));
  UniqueFd pidfd(packet.fd);
  const std::optional<Frame> frame = TRY(open_packet(packet));
  if (!frame.has_value()) return describe_death(init, Line::forked);
  TRY(check_line(*frame, Line::forked));
  if (!pidfd.is_open() || frame->value <= 0) return Error::peer("container init sent a malformed message");
  InitProcess next(std::move(pidfd), frame->value);
  (void)init.reap();  // it has said its last line and exits
  return next;
}

Status start_program(FdRef socket, InitProcess* init, FdRef interrupts) {
  Status said = send_line(socket, Line::start);
  const bool gone = is_gone(said);
  if (!gone) {  // or has left a word, and can be read without waiting
    TRY(std::move(said));
    TRY(wait_readable(socket, interrupts, "container init to execute the program"));
  }
  const Packet packet = TRY(receive_packet(socket));
  const UniqueFd unwanted(packet.fd);
  const std::optional<Frame> frame = TRY(open_packet(packet));
  if (!frame.has_value())
    return gone || packet.was_reset ? Status(describe_death_behind_gate(init)) : Status();
  return Error::peer(
      cat({"container init said ", protocol::name_of(frame->line), " instead of executing the program"}));
}

}  // namespace capsule::launch
