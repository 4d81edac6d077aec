#include "runtime/launch/hooks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <poll.h>

#include "runtime/base/log.h"
#include "runtime/base/program.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/interrupts.h"
#include "runtime/launch/processors.h"

namespace capsule::launch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputKept = 512;

Result<pid_t> spawn_hook(const spec::Hook& hook, const Pipe& in, const Pipe& out, const std::string& cwd) {
  const std::vector<std::string> own_name{hook.path};
  leave_processor();
  return spawn_program({.path = hook.path,
                        .arguments = hook.args.empty() ? own_name : hook.args,
                        .environment = hook.env.has_value() ? &*hook.env : nullptr,
                        .in = in.read_end,
                        .out = out.write_end,
                        .err = out.write_end,
                        .directory = cwd.c_str()});
}

int milliseconds_left(const std::optional<Clock::time_point>& deadline) {
  if (!deadline.has_value()) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  constexpr std::int64_t kLongest = 3'600'000;  // who waits looks again then: weeks do not fit poll(2)
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongest));
}

void keep_tail(std::string& output, std::string_view more) {
  output.append(more);
  if (output.size() > kOutputKept) output.erase(0, output.size() - kOutputKept);
}

// A hook that runs, and what we hold of it.
struct Running {
  UniqueFd pidfd;
  UniqueFd in;   // the state, to it; closed when all is written or nobody reads
  UniqueFd out;  // what it prints
  std::string_view state;
  std::string output;
};

void feed(Running& hook) {
  const ssize_t wrote = ::write(hook.in.get(), hook.state.data(), hook.state.size());
  if (wrote > 0) hook.state.remove_prefix(static_cast<std::size_t>(wrote));
  // EPIPE: the hook does not care about its state, which is its right.
  if ((wrote < 0 && errno != EAGAIN) || hook.state.empty()) hook.in.reset();
}

// False: nothing there now, or its end.
bool read_some(Running& hook) {
  std::array<char, 1024> chunk{};
  const ssize_t got = ::read(hook.out.get(), chunk.data(), chunk.size());
  if (got > 0) keep_tail(hook.output, {chunk.data(), static_cast<std::size_t>(got)});
  if (got == 0) hook.out.reset();
  return got > 0;
}

// What is in the pipe when the hook has ended. No more than a pipe holds, and without waiting: a child that
// it left behind may keep the pipe open, or go on writing.
void drain(Running& hook) {
  constexpr int kChunksOfPipe = 64;
  for (int i = 0; i < kChunksOfPipe && hook.out.is_open() && read_some(hook); ++i) {
  }
}

// Until the hook has ended. False: its time was over.
Result<bool> watch(Running& hook, const std::optional<Clock::time_point>& deadline, FdRef interrupts) {
  for (;;) {
    std::array fds{pollfd{hook.pidfd.get(), POLLIN, 0}, pollfd{hook.out.get(), POLLIN, 0},
                   pollfd{hook.in.get(), POLLOUT, 0}, pollfd{interrupts.get(), POLLIN, 0}};
    const int left = milliseconds_left(deadline);
    if (left == 0) return false;
    (void)TRY(sys::poll(fds, left));
    if (fds[3].revents != 0) TRY(check_interrupts(interrupts));
    if (fds[2].revents != 0) feed(hook);
    if (fds[1].revents != 0) (void)read_some(hook);
    if (fds[0].revents == 0) continue;
    drain(hook);
    return true;
  }
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

// Our ends, and only ours, do not wait: a hook may print before it reads, never read, or leave a child
// behind.
Result<Running> start_hook(const spec::Hook& hook, std::string_view state, const std::string& cwd) {
  Pipe in = TRY(open_pipe(0));
  Pipe out = TRY(open_pipe(0));
  for (const UniqueFd* end : {&in.write_end, &out.read_end}) {
    if (::fcntl(end->get(), F_SETFL, O_NONBLOCK) < 0) return Error::system("fcntl", errno);
  }
  const pid_t pid = TRY(spawn_hook(hook, in, out, cwd));
  return Running{TRY(sys::pidfd_open(pid)), std::move(in.write_end), std::move(out.read_end), state, {}};
}

Status judge(const sys::ExitStatus& end, const std::string& output) {
  if (!end.signaled && end.code == 0) return {};
  return Error::hook(cat({end.signaled ? "killed by signal " : "exit status ", std::to_string(end.code),
                          ", output: ", one_line(output)}));
}

Status run_hook(const spec::Hook& hook, const HookRun& run) {
  std::optional<Clock::time_point> deadline;
  if (hook.timeout.has_value()) deadline = Clock::now() + std::chrono::seconds(*hook.timeout);
  Running running = TRY(start_hook(hook, run.state, run.bundle));
  const Result<bool> ended = watch(running, deadline, run.interrupts);
  if (!ended.has_value() || !ended.value()) (void)sys::pidfd_send_signal(running.pidfd, SIGKILL);
  const sys::ExitStatus end = TRY(sys::wait_exited(running.pidfd));
  if (!ended.has_value()) return Error::hook(ended.error().message());
  if (ended.value()) return judge(end, running.output);
  drain(running);
  std::string text = cat({"hook ran past specified timeout of ", std::to_string(*hook.timeout), "s"});
  if (!running.output.empty()) text.append(", output: ").append(one_line(running.output));
  return Error::hook(text);
}

Status run_numbered(const HookRun& run, std::size_t index) {
  const spec::Hook& hook = (*run.hooks)[index];
  return run_hook(hook, run).context("error running ", run.kind, " hook #", std::to_string(index), " (",
                                     hook.path, ")");
}

// A hook that closes its standard input early must not kill the runtime.
class IgnoreSigpipe {
 public:
  IgnoreSigpipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  IgnoreSigpipe(const IgnoreSigpipe&) = delete;
  IgnoreSigpipe& operator=(const IgnoreSigpipe&) = delete;
  ~IgnoreSigpipe() { (void)std::signal(SIGPIPE, before_); }

 private:
  void (*before_)(int);
};

}  // namespace

Status run_hooks(const HookRun& run) {
  const IgnoreSigpipe quiet;
  for (std::size_t i = 0; i < run.hooks->size(); ++i)
    TRY(run_numbered(run, i));
  return {};
}

void run_hooks_to_the_end(const HookRun& run) {
  const IgnoreSigpipe quiet;
  for (std::size_t i = 0; i < run.hooks->size(); ++i) {
    const Status done = run_numbered(run, i);
    if (!done.has_value()) log::warning(done.error().message());
  }
}

}  // namespace capsule::launch
