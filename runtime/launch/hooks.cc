#include "runtime/launch/hooks.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <poll.h>
#include <spawn.h>

#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::launch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputKept = 512;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return Error::system("pipe2", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts)
    result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// posix_spawn's two option objects, freed on every way out.
struct SpawnOptions {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnOptions() {
    (void)::posix_spawn_file_actions_init(&actions);
    (void)::posix_spawnattr_init(&attributes);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    (void)::posix_spawn_file_actions_destroy(&actions);
    (void)::posix_spawnattr_destroy(&attributes);
  }
};

void describe_spawn(SpawnOptions& options, const Pipe& in, const Pipe& out, const std::string& cwd) {
  (void)::posix_spawn_file_actions_adddup2(&options.actions, in.read_end.get(), STDIN_FILENO);
  (void)::posix_spawn_file_actions_adddup2(&options.actions, out.write_end.get(), STDOUT_FILENO);
  (void)::posix_spawn_file_actions_adddup2(&options.actions, out.write_end.get(), STDERR_FILENO);
  (void)::posix_spawn_file_actions_addclosefrom_np(&options.actions, 3);
  (void)::posix_spawn_file_actions_addchdir_np(&options.actions, cwd.c_str());
  sigset_t none;
  sigset_t all;
  (void)::sigemptyset(&none);
  (void)::sigfillset(&all);
  (void)::posix_spawnattr_setsigmask(&options.attributes, &none);
  (void)::posix_spawnattr_setsigdefault(&options.attributes, &all);
  (void)::posix_spawnattr_setflags(&options.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

Result<pid_t> spawn_hook(const spec::Hook& hook, const Pipe& in, const Pipe& out, const std::string& cwd) {
  SpawnOptions options;
  describe_spawn(options, in, out, cwd);
  const std::vector<std::string> own_name{hook.path};
  std::vector<char*> argv = pointers(hook.args.empty() ? own_name : hook.args);
  std::vector<char*> env = hook.env.has_value() ? pointers(*hook.env) : std::vector<char*>{};
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, hook.path.c_str(), &options.actions, &options.attributes, argv.data(),
                                hook.env.has_value() ? env.data() : environ);
  if (err != 0) return Error::system("execve", err, hook.path);
  return pid;
}

int milliseconds_left(const std::optional<Clock::time_point>& deadline) {
  if (!deadline.has_value()) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

void keep_tail(std::string& output, std::string_view more) {
  output.append(more);
  if (output.size() > kOutputKept) output.erase(0, output.size() - kOutputKept);
}

// Feeds the state and collects output until the hook is gone. False: its time was over.
Result<bool> watch(FdRef pidfd,
                   UniqueFd in,
                   const UniqueFd& out,
                   std::string_view state,
                   const std::optional<Clock::time_point>& deadline,
                   std::string& output) {
  std::array fds{pollfd{pidfd.get(), POLLIN, 0}, pollfd{out.get(), POLLIN, 0}, pollfd{in.get(), POLLOUT, 0}};
  for (;;) {
    if (TRY(sys::poll(fds, milliseconds_left(deadline))) == 0) return false;
    if (fds[2].revents != 0) {
      const ssize_t wrote = ::write(in.get(), state.data(), state.size());
      if (wrote > 0) state.remove_prefix(static_cast<std::size_t>(wrote));
      // EPIPE: the hook does not care about its state, which is its right.
      if ((wrote < 0 && errno != EAGAIN) || state.empty()) {
        in.reset();
        fds[2].fd = -1;
      }
    }
    if (fds[1].revents != 0) {
      std::array<char, 1024> chunk{};
      const ssize_t got = ::read(out.get(), chunk.data(), chunk.size());
      if (got > 0) keep_tail(output, {chunk.data(), static_cast<std::size_t>(got)});
      if (got <= 0) fds[1].fd = -1;
    }
    if ((fds[0].revents & POLLIN) != 0 && (fds[1].revents & POLLIN) == 0) return true;
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

Status run_hook(const spec::Hook& hook, std::string_view state, const std::string& cwd) {
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  const pid_t pid = TRY(spawn_hook(hook, in, out, cwd));
  const UniqueFd pidfd = TRY(sys::pidfd_open(pid));
  in.read_end.reset();
  out.write_end.reset();
  // A hook may print before it reads, or never read: our end, and only ours, does not wait.
  if (::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK) < 0) return Error::system("fcntl", errno);

  std::optional<Clock::time_point> deadline;
  if (hook.timeout.has_value()) deadline = Clock::now() + std::chrono::seconds(*hook.timeout);
  std::string output;
  const bool ended = TRY(watch(pidfd, std::move(in.write_end), out.read_end, state, deadline, output));
  if (!ended) (void)sys::pidfd_send_signal(pidfd, SIGKILL);
  const sys::ExitStatus end = TRY(sys::wait_exited(pidfd));
  if (!ended)
    return Error::peer(cat({"hook ran past specified timeout of ", std::to_string(*hook.timeout), "s"}));
  if (!end.signaled && end.code == 0) return {};
  return Error::peer(cat({end.signaled ? "killed by signal " : "exit status ", std::to_string(end.code),
                          ", output: ", one_line(output)}));
}

Status run_numbered(const HookRun& run, std::size_t index) {
  const spec::Hook& hook = (*run.hooks)[index];
  return run_hook(hook, run.state, run.bundle)
      .context("error running ", run.kind, " hook #", std::to_string(index), " (", hook.path, ")");
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
