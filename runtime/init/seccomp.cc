// Installing the filter, and handing its listener to whoever decides for the container.
#include "runtime/init/context.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr char kPidMark = '\1';  // stands in the second text where the pid belongs once more (plan.h)

bool wants_listener(const plan::StepHeader* step) {
  return step->kind == plan::StepKind::seccomp &&
         plan::as<plan::Seccomp>(step).listener_slot != plan::kNoSlot;
}

bool send_listener(Context& ctx, const plan::Seccomp& s, int listener) {
  static Line<65536> message;
  const uint64_t pid = ctx.host_pid;
  message.add(text(ctx, s.listener_before_pid), s.listener_before_pid.size).add_number(pid);
  const char* rest = text(ctx, s.listener_after_pid);
  for (const char* mark = find(rest, kPidMark); mark != nullptr; mark = find(rest, kPidMark)) {
    message.add(rest, static_cast<size_t>(mark - rest)).add_number(pid);
    rest = mark + 1;
  }
  message.add(rest);

  raw::IoVec part{message.c_str(), message.size()};
  raw::FdControl control{sizeof(raw::FdControl) - sizeof(int), 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */,
                         listener, 0};
  const raw::MsgHdr header{nullptr, 0, &part, 1, &control, sizeof(control), 0};
  const long sent = raw::sendmsg(ctx.plan.descriptor(s.listener_slot), &header);
  return sent < 0 ? fail(ctx, "sendmsg", sent, "seccomp listener") : true;
}

}  // namespace

bool find_host_pid(Context& ctx) {
  const plan::StepHeader* step = ctx.plan.first();
  while (step != nullptr && !wants_listener(step))
    step = ctx.plan.next(step);
  if (step == nullptr) return true;
  const int proc = host_proc(ctx);
  if (proc < 0) return false;
  char digits[16] = {};
  const long got = raw::readlinkat(proc, "self", digits, sizeof(digits) - 1);
  if (got < 0) return fail(ctx, "readlinkat", got, "/proc/self");
  for (long i = 0; i < got; ++i)
    ctx.host_pid = ctx.host_pid * 10 + static_cast<uint64_t>(digits[i] - '0');
  return true;
}

bool perform(Context& ctx, const plan::Seccomp& s) {
  const auto* filter = static_cast<const sock_filter*>(ctx.plan.bytes(s.program));
  const sock_fprog program{static_cast<unsigned short>(s.program.size / sizeof(sock_filter)),
                           const_cast<sock_filter*>(filter)};
  const long installed = raw::seccomp(SECCOMP_SET_MODE_FILTER, static_cast<unsigned>(s.flags), &program);
  if (installed < 0) return fail(ctx, "seccomp", installed, "");
  if ((s.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return true;
  const bool sent = send_listener(ctx, s, static_cast<int>(installed));
  raw::close(static_cast<int>(installed));
  return sent;
}

}  // namespace capsule::init
