// Hooks that run inside the container: a child with the container's state on its standard input, watched
// until it ends or its time is over.
#include "runtime/init/context.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr int kSigkill = 9;
constexpr int kWexited = 4;
constexpr short kPollIn = 1, kPollOut = 4;

struct Pipes {
  int in[2];   // state, to the hook
  int out[2];  // what the hook prints, for the message if it fails
};

struct SigInfo {  // as waitid(2) fills it for a child
  int signo, error, code, pad, pid;
  unsigned uid;
  int status;
  char rest[128 - 28];
};
constexpr int kCldExited = 1;

int64_t now_ms() {
  raw::Timespec now{};
  raw::clock_monotonic(&now);
  return now.seconds * 1000 + now.nanoseconds / 1000000;
}

// Pointers into the plan, for execve; in memory of its own because a list may be long.
const char* const* as_vector(const Context& ctx, plan::TextList list) {
  constexpr int kProtReadWrite = 3, kMapPrivateAnonymous = 0x22;
  const long at =
      raw::mmap(nullptr, (list.count + 1UL) * sizeof(char*), kProtReadWrite, kMapPrivateAnonymous, -1, 0);
  if (at < 0 && at > -4096) return nullptr;
  auto** vector = reinterpret_cast<const char**>(at);
  for (uint32_t i = 0; i < list.count; ++i)
    vector[i] = text(ctx, ctx.plan.item(list, i));
  return vector;
}

[[noreturn]] void become_hook(Context& ctx, const plan::RunHook& s, const Pipes& pipes) {
  raw::dup3(pipes.in[0], 0, 0);
  raw::dup3(pipes.out[1], 1, 0);
  raw::dup3(pipes.out[1], 2, 0);
  raw::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // not the application's preserved descriptors either
  raw::umask(022);
  raw::execve(text(ctx, s.path), as_vector(ctx, s.args), as_vector(ctx, s.env));
  constexpr int kNotExecuted = 127;
  raw::exit(kNotExecuted);
}

// The state, around the number that only init knows.
struct Feed {
  raw::IoVec parts[3];
  unsigned next = 0;

  // Writes what the pipe takes. False: all is written, or nobody reads, which is the hook's right.
  bool write_some(int to) {
    while (next < 3 && parts[next].size == 0)
      ++next;
    if (next == 3) return false;
    raw::IoVec& part = parts[next];
    const long wrote = raw::write(to, part.base, part.size);
    if (wrote < 0) return wrote == -raw::kEAGAIN || wrote == -raw::kEINTR;
    part.base = static_cast<const char*>(part.base) + wrote;
    part.size -= static_cast<size_t>(wrote);
    return true;
  }
};

// Writing to a hook that is gone must be an error and no signal: we are not always process 1, whom the kernel
// spares.
class IgnoreSigpipe {
 public:
  IgnoreSigpipe() {
    const Action ignore{1 /* SIG_IGN */, 0, 0, 0};
    raw::call(__NR_rt_sigaction, kSigpipe, &ignore, &before_, sizeof(uint64_t));
  }
  IgnoreSigpipe(const IgnoreSigpipe&) = delete;
  IgnoreSigpipe& operator=(const IgnoreSigpipe&) = delete;
  ~IgnoreSigpipe() { raw::call(__NR_rt_sigaction, kSigpipe, &before_, nullptr, sizeof(uint64_t)); }

 private:
  struct Action {  // the kernel's sigaction
    unsigned long handler, flags, restorer;
    uint64_t mask;
  };
  static constexpr int kSigpipe = 13;
  Action before_{};
};

// Keeps the last `sizeof(tail)` bytes of what the hook printed.
struct Tail {
  char bytes[256] = {};
  size_t size = 0;

  void append(const char* more, size_t count) {
    constexpr size_t kCapacity = sizeof(bytes) - 1;
    if (count > kCapacity) {
      more += count - kCapacity;
      count = kCapacity;
    }
    const size_t kept = size + count > kCapacity ? kCapacity - count : size;
    copy(bytes, bytes + (size - kept), kept);
    size = kept;
    for (size_t i = 0; i < count; ++i)
      bytes[size++] = more[i] == '\n' ? ' ' : more[i];
    bytes[size] = '\0';
  }

  long read_some(int from) {
    char chunk[1024];
    const long got = raw::read(from, chunk, sizeof(chunk));
    if (got > 0) append(chunk, static_cast<size_t>(got));
    return got;
  }

  // What is in the pipe when the hook has ended: the reason, mostly. No more than a pipe holds, in case a
  // child of its goes on writing.
  void drain(int from) {
    for (int chunks = 0; chunks < 64 && read_some(from) > 0;)
      ++chunks;
  }
};

// True when the hook has ended; false when its time was over. Closes the state's pipe.
bool watch(int pidfd, const Pipes& pipes, Feed& feed, int64_t timeout_ms, Tail& tail) {
  const int64_t deadline = now_ms() + timeout_ms;
  raw::PollFd fds[3] = {{pidfd, kPollIn, 0}, {pipes.out[0], kPollIn, 0}, {pipes.in[1], kPollOut, 0}};
  bool ended = false;
  while (!ended) {
    const int64_t left = timeout_ms < 0 ? 0 : deadline - now_ms();
    if (left < 0) break;
    const raw::Timespec wait{left / 1000, left % 1000 * 1000000};
    raw::poll(fds, 3, timeout_ms < 0 ? nullptr : &wait);
    if (fds[2].revents != 0 && !feed.write_some(pipes.in[1])) {
      raw::close(pipes.in[1]);
      fds[2].fd = -1;
    }
    if (fds[1].revents != 0 && tail.read_some(pipes.out[0]) == 0) fds[1].fd = -1;
    ended = (fds[0].revents & kPollIn) != 0;
  }
  if (fds[2].fd >= 0) raw::close(pipes.in[1]);
  if (ended) tail.drain(pipes.out[0]);
  return ended;
}

bool judge(Context& ctx, const SigInfo& end, const Tail& tail) {
  if (end.code == kCldExited && end.status == 0) return true;
  const Problem problem = end.code == kCldExited ? Problem::hook_failed : Problem::hook_killed;
  return fail_with(ctx, problem, "hook", end.status, tail.bytes);
}

Feed make_feed(const Context& ctx, const plan::RunHook& s, const Line<24>& pid) {
  return {{{text(ctx, s.state_before_pid), s.state_before_pid.size},
           {pid.c_str(), pid.size()},
           {text(ctx, s.state_after_pid), s.state_after_pid.size}}};
}

bool wait_for_hook(Context& ctx, const plan::RunHook& s, int pidfd, const Pipes& pipes) {
  const IgnoreSigpipe quiet;
  Line<24> pid;
  pid.add_number(static_cast<uint64_t>(raw::getpid()));
  Feed feed = make_feed(ctx, s, pid);
  Tail tail;
  const bool ended = watch(pidfd, pipes, feed, s.timeout_ms, tail);
  if (!ended) raw::pidfd_send_signal(pidfd, kSigkill);
  SigInfo end{};
  raw::waitid_pidfd(pidfd, &end, kWexited);
  if (!ended) return fail_with(ctx, Problem::hook_timed_out, "hook", s.timeout_ms, tail.bytes);
  return judge(ctx, end, tail);
}

// Our ends do not block: a hook may print before it reads, or never read. Its own ends are as it expects
// them.
long make_pipes(Pipes* pipes) {
  constexpr int kSetFlags = 4;  // F_SETFL, of this end alone
  long made = raw::pipe2(pipes->in, raw::kOCloexec);
  if (made == 0) made = raw::pipe2(pipes->out, raw::kOCloexec);
  if (made == 0) made = raw::call(__NR_fcntl, pipes->in[1], kSetFlags, raw::kONonblock);
  if (made == 0) made = raw::call(__NR_fcntl, pipes->out[0], kSetFlags, raw::kONonblock);
  return made;
}

}  // namespace

bool perform(Context& ctx, const plan::RunHook& s) {
  Pipes pipes{};
  const long made = make_pipes(&pipes);
  if (made < 0) return fail(ctx, "pipe2", made, text(ctx, s.path));

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = 17;  // SIGCHLD
  const long pid = raw::call(__NR_clone3, &args, sizeof(args));
  if (pid < 0) return fail(ctx, "clone3", pid, text(ctx, s.path));
  if (pid == 0) become_hook(ctx, s, pipes);

  raw::close(pipes.in[0]);
  raw::close(pipes.out[1]);
  const bool passed = wait_for_hook(ctx, s, pidfd, pipes);
  raw::close(pipes.out[0]);
  raw::close(pidfd);
  return passed;
}

}  // namespace capsule::init
