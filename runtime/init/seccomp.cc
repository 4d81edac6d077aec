// Installing the filter, and handing its listener to whoever decides for the container.
#include "runtime/init/context.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

bool wants_listener(const plan::StepHeader* step) {
  return step->kind == plan::StepKind::seccomp &&
         plan::as<plan::Seccomp>(step).listener_slot != plan::kNoSlot;
}

// The message around the pid, as parts: it may be as long as the container's annotations are.
class Message {
 public:
  Message(Context& ctx, const plan::Seccomp& s) {
    pid_.add_number(ctx.host_pid);
    const char* rest = text(ctx, s.listener_message);
    for (const char* mark = find(rest, plan::kPidMark); mark != nullptr; mark = find(rest, plan::kPidMark)) {
      add(rest, static_cast<size_t>(mark - rest));
      add(pid_.c_str(), pid_.size());
      rest = mark + 1;
    }
    add(rest, length(rest));
  }

  // Negative: errno. Sent in part means that the agent has stopped reading.
  long send(int socket, int listener) {
    raw::FdControl control{sizeof(raw::FdControl) - sizeof(int), 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */,
                           listener, 0};
    const raw::MsgHdr header{nullptr, 0, parts_, count_, &control, sizeof(control), 0};
    const long sent = raw::sendmsg(socket, &header);
    return sent >= 0 && static_cast<size_t>(sent) != size_ ? -raw::kEAGAIN : sent;
  }

 private:
  static constexpr size_t kMaxParts = 16;  // our planner makes five

  void add(const char* bytes, size_t size) {
    if (count_ == kMaxParts) return;
    parts_[count_++] = {bytes, size};
    size_ += size;
  }

  Line<24> pid_;
  raw::IoVec parts_[kMaxParts] = {};
  size_t count_ = 0;
  size_t size_ = 0;
};

// One message, and the connection has done its duty (config-linux.md#seccomp: it must not be used again).
bool send_listener(Context& ctx, const plan::Seccomp& s, int listener) {
  const int socket = ctx.plan.descriptor(s.listener_slot);
  const long sent = Message(ctx, s).send(socket, listener);
  raw::close(socket);
  return sent < 0 ? fail(ctx, "sendmsg", sent, "seccomp listener") : true;
}

// Which of the flags this kernel does not know, "" if it is none of those a profile may ask for. The kernel
// looks at the flags before it looks for the program, so without one EINVAL is about the flags alone.
const char* find_unknown_flag(uint64_t flags) {
  struct Flag {
    unsigned flag, asked_with;
    const char* name;
  };
  constexpr unsigned kListener = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  constexpr Flag kFlags[] = {
      {SECCOMP_FILTER_FLAG_LOG, 0, "SECCOMP_FILTER_FLAG_LOG"},
      {SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
      {SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, kListener, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
  };
  for (const Flag& f : kFlags) {
    if ((flags & f.flag) == 0) continue;
    if (raw::seccomp(SECCOMP_SET_MODE_FILTER, f.flag | f.asked_with, nullptr) == -raw::kEINVAL) return f.name;
  }
  return "";
}

struct Filter {
  sock_fprog program;
  uint64_t flags;
};

sock_fprog program_at(const void* bytes, size_t size) {
  return {static_cast<unsigned short>(size / sizeof(sock_filter)),
          const_cast<sock_filter*>(static_cast<const sock_filter*>(bytes))};
}

Filter filter_of(const Context& ctx, const plan::Seccomp& s) {
  if (s.program.size != 0) return {program_at(ctx.plan.bytes(s.program), s.program.size), s.flags};
  Filter sent{};
  if (ctx.filter_size <= sizeof(sent.flags)) return sent;  // none came: the kernel refuses an empty one
  sent.flags = *static_cast<const uint64_t*>(ctx.filter);
  sent.program = program_at(static_cast<const char*>(ctx.filter) + sizeof(sent.flags),
                            ctx.filter_size - sizeof(sent.flags));
  return sent;
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
  ctx.host_pid = 0;
  const long got = raw::readlinkat(proc, "self", digits, sizeof(digits) - 1);
  if (got < 0) return fail(ctx, "readlinkat", got, "/proc/self");
  for (long i = 0; i < got; ++i)
    ctx.host_pid = ctx.host_pid * 10 + static_cast<uint64_t>(digits[i] - '0');
  return true;
}

bool perform(Context& ctx, const plan::Seccomp& s) {
  const Filter filter = filter_of(ctx, s);
  const long installed =
      raw::seccomp(SECCOMP_SET_MODE_FILTER, static_cast<unsigned>(filter.flags), &filter.program);
  if (installed < 0) {
    const char* object = installed == -raw::kEINVAL ? find_unknown_flag(filter.flags) : "";
    return fail(ctx, "seccomp", installed, object);
  }
  if ((filter.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return true;
  const bool sent = send_listener(ctx, s, static_cast<int>(installed));
  raw::close(static_cast<int>(installed));
  return sent;
}

}  // namespace capsule::init
