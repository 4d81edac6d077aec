// The child's end of the conversation (runtime/plan/protocol.h).
#include "runtime/init/context.h"

namespace capsule::init {
namespace {

// Waits for one packet. End of file means that the other side is gone, and with it everything it would have
// done: nothing to tell anybody.
long receive(int fd, void* packet, size_t size) {
  long got = -raw::kEINTR;
  while (got == -raw::kEINTR)
    got = raw::recv(fd, packet, size);
  return got;
}

// The same, but the frame stays in the socket: a close with something unread is an error to the other side,
// and a clean end of file without.
long look_at_next(int fd, protocol::Frame* frame) {
  long got = -raw::kEINTR;
  while (got == -raw::kEINTR)
    got = raw::peek(fd, frame, sizeof(*frame));
  return got;
}

bool check_line(Context& ctx, long got, const protocol::Frame& frame, protocol::Line line) {
  if (got == 0) raw::exit(1);
  if (got < 0) return fail(ctx, "recv", got, protocol::name_of(line));
  if (got != sizeof(frame) || frame.line != line) {
    return fail_with(ctx, Problem::unexpected_line, "recv", 0, protocol::name_of(line));
  }
  return true;
}

bool expect_line(Context& ctx, int fd, protocol::Line line) {
  protocol::Frame frame{};
  const long got = receive(fd, &frame, sizeof(frame));
  return check_line(ctx, got, frame, line);
}

bool wait_for_line(Context& ctx, int fd, protocol::Line line) {
  protocol::Frame frame{};
  const long got = look_at_next(fd, &frame);
  return check_line(ctx, got, frame, line);
}

struct alignas(8) FilterPacket {
  protocol::Frame frame;
  char filter[protocol::kMaxFilter];
};
FilterPacket filter_packet;  // no page of it is touched where there is no filter

bool expect_filter(Context& ctx, int fd) {
  FilterPacket& packet = filter_packet;
  const long got = receive(fd, &packet, sizeof(packet));
  const long size = got - static_cast<long>(sizeof(packet.frame));
  const bool is_whole = size > 0 && packet.frame.line == protocol::Line::filter && packet.frame.value == size;
  if (!is_whole) return check_line(ctx, got, packet.frame, protocol::Line::filter);
  ctx.filter = packet.filter;
  ctx.filter_size = static_cast<size_t>(size);
  return true;
}

bool say_line(Context& ctx, protocol::Line line) {
  const protocol::Frame frame{line, {}, line == protocol::Line::mounted ? ctx.attached : 0};
  const long sent = tell(ctx.sync, &frame, sizeof(frame));
  return sent < 0 ? fail(ctx, "send", sent, protocol::name_of(line)) : true;
}

// Connections that do not say `start` are closed and forgotten.
bool wait_for_start(Context& ctx, int listener) {
  for (;;) {
    const long connection = raw::accept4(listener, raw::kOCloexec);
    if (connection == -raw::kEINTR) continue;
    if (connection < 0) return fail(ctx, "accept4", connection, "gate");
    protocol::Frame frame{};
    const long got = look_at_next(static_cast<int>(connection), &frame);
    if (got == sizeof(frame) && frame.line == protocol::Line::start) {
      ctx.reply = static_cast<int>(connection);
      raw::close(listener);
      return true;
    }
    raw::close(static_cast<int>(connection));
  }
}

}  // namespace

bool perform(Context& ctx, const plan::Say& s) {
  return say_line(ctx, static_cast<protocol::Line>(s.line));
}

bool perform(Context& ctx, const plan::Expect& s) {
  const auto line = static_cast<protocol::Line>(s.line);
  return line == protocol::Line::filter ? expect_filter(ctx, ctx.reply) : expect_line(ctx, ctx.reply, line);
}

bool perform(Context& ctx, const plan::Gate& s) {
  if (!say_line(ctx, protocol::Line::ready)) return false;
  if (s.mode == plan::GateMode::none) return true;
  if (s.mode == plan::GateMode::sync) return wait_for_line(ctx, ctx.sync, protocol::Line::start);
  raw::close(ctx.sync);
  ctx.sync = ctx.reply = -1;
  return wait_for_start(ctx, ctx.plan.descriptor(plan::kGateSlot));
}

}  // namespace capsule::init
