#include "runtime/base/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <spawn.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule {
namespace {

// posix_spawn's two option objects, freed on every way out. What fails here is memory.
struct Options {
  Options() {
    (void)::posix_spawn_file_actions_init(&actions);
    (void)::posix_spawnattr_init(&attributes);
  }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() {
    (void)::posix_spawn_file_actions_destroy(&actions);
    (void)::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

void give(Options& options, FdRef from, int to) {
  if (from.get() < 0) {
    (void)::posix_spawn_file_actions_addopen(&options.actions, to, "/dev/null", O_RDWR, 0);
  } else {
    (void)::posix_spawn_file_actions_adddup2(&options.actions, from.get(), to);
  }
}

// One by one: closefrom is in the option objects of glibc alone.
Status close_the_others(Options& options) {
  const UniqueFd own = TRY(sys::openat(FdRef::cwd(), "/proc/self/fd", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(list_directory(own))) {
    const std::optional<int> fd = parse_integer<int>(name);
    if (fd.has_value() && *fd > STDERR_FILENO)
      (void)::posix_spawn_file_actions_addclose(&options.actions, *fd);
  }
  return {};
}

void reset_signals(Options& options) {
  sigset_t none;
  sigset_t all;
  (void)::sigemptyset(&none);
  (void)::sigfillset(&all);
  (void)::posix_spawnattr_setsigmask(&options.attributes, &none);
  (void)::posix_spawnattr_setsigdefault(&options.attributes, &all);
  (void)::posix_spawnattr_setflags(&options.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// musl's posix_spawn gives back a mask without the signals 32 to 34, which it takes for its own; `run`
// forwards the 34th, and would end by it.
class KeptSignalMask {
 public:
  KeptSignalMask() : before_(sys::set_signal_mask(~sys::SignalMask{0})) {}
  KeptSignalMask(const KeptSignalMask&) = delete;
  KeptSignalMask& operator=(const KeptSignalMask&) = delete;
  ~KeptSignalMask() {
    if (before_.has_value()) (void)sys::set_signal_mask(before_.value());
  }

 private:
  Result<sys::SignalMask> before_;
};

}  // namespace

Result<Pipe> open_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), flags | O_CLOEXEC) < 0) return Error::system("pipe2", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<pid_t> spawn_program(const ProgramCall& call) {
  Options options;
  give(options, call.in, STDIN_FILENO);
  give(options, call.out, STDOUT_FILENO);
  give(options, call.err, STDERR_FILENO);
  TRY(close_the_others(options));
  if (call.directory != nullptr)
    (void)::posix_spawn_file_actions_addchdir_np(&options.actions, call.directory);
  reset_signals(options);

  const std::vector<char*> argv = pointers(call.arguments);
  const std::vector<char*> env =
      call.environment != nullptr ? pointers(*call.environment) : std::vector<char*>{};
  const KeptSignalMask mask;
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, call.path.c_str(), &options.actions, &options.attributes,
                                   argv.data(), call.environment != nullptr ? env.data() : environ);
  if (failed != 0) return Error::system("execve", failed, call.path);
  return pid;
}

}  // namespace capsule
