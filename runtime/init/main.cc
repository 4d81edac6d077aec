// capsule-init: the program that becomes the container's first process. It maps a plan, performs its steps in
// order, and execs the application.
//
// It runs from a sealed memfd, so nothing inside the container can reach a host binary through /proc/PID/exe
// (CVE-2019-5736, R1). There is no C library here: raw system calls, fixed buffers, and no code that a
// hostile image could make larger.
#include "runtime/init/context.h"
#include "runtime/init/strings.h"
#include "runtime/plan/fields.h"

namespace capsule::init {
bool perform_all(Context& ctx) {
  uint32_t index = 0;
  for (const plan::StepHeader* step = ctx.plan.first(); step != nullptr; step = ctx.plan.next(step)) {
    ctx.step = index++;
    ctx.current = step;
    bool done = false;
    if (!plan::dispatch(step, [&](const auto& typed) { done = perform(ctx, typed); })) {
      return fail_with(ctx, Problem::bad_plan, "dispatch", 0, "unknown step");
    }
    if (!done) return false;
  }
  return true;
}

namespace {

constexpr int kProtRead = 1;
constexpr int kMapPrivate = 2;

plan::View map_plan(int fd) {
  raw::Stat info{};
  if (raw::fstat(fd, &info) < 0 || info.st_size <= 0) return {};
  const auto size = static_cast<size_t>(info.st_size);
  const long at = raw::mmap(nullptr, size, kProtRead, kMapPrivate, fd, 0);
  if (at < 0 && at > -4096) return {};
  return plan::View::verify(reinterpret_cast<const void*>(at), size);
}

int parse_descriptor(const char* digits) {
  int value = 0;
  for (; *digits >= '0' && *digits <= '9'; ++digits)
    value = value * 10 + (*digits - '0');
  return value;
}

// Signals ignored or blocked by whoever started the runtime must not be so in the application: conmon ignores
// SIGPIPE, say.
void reset_signals() {
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    uint64_t mask;
  } const default_action{};
  constexpr int kSignals = 64, kSigkill = 9, kSigstop = 19;
  for (int signal = 1; signal <= kSignals; ++signal) {
    if (signal == kSigkill || signal == kSigstop) continue;
    raw::call(__NR_rt_sigaction, signal, &default_action, nullptr, sizeof(uint64_t));
  }
  const uint64_t none = 0;
  raw::call(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, nullptr, sizeof(none));
}

}  // namespace

// argv: "capsule-init", the plan's descriptor, the sync socket's descriptor.
[[noreturn]] void run(long argc, const char* const* argv) {
  Context ctx;
  if (argc < 3) raw::exit(1);
  ctx.sync = ctx.reply = parse_descriptor(argv[2]);
  ctx.plan = map_plan(parse_descriptor(argv[1]));
  if (!ctx.plan.ok()) {
    fail_with(ctx, Problem::bad_plan, "verify", 0, "plan");
    send_failure(ctx);
    raw::exit(1);
  }

  // No process of the container may ptrace init or open what lies below its /proc/PID, and with it the host's
  // descriptors, until execve (CVE-2016-9962, R8).
  raw::prctl(PR_SET_DUMPABLE, 0);
  // Nothing of the host may be open in the application, whatever the caller of the runtime left open
  // (CVE-2024-21626, R3).
  raw::close_range(3 + ctx.plan.header().preserved_fds, ~0U, CLOSE_RANGE_CLOEXEC);
  reset_signals();
  raw::umask(0);
  raw::setsid();  // a session of its own, for the terminal and for conmon, which kills process groups

  if (!find_host_pid(ctx) || !perform_all(ctx)) send_failure(ctx);
  raw::exit(1);
}

}  // namespace capsule::init
