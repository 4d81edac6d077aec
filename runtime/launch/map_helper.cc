#include "runtime/launch/map_helper.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <spawn.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::launch {
namespace {

constexpr const char* kUsualPlaces = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kWordsKept = 512;

bool is_program(const std::string& path) {
  const Result<struct stat> info = sys::fstatat(FdRef::cwd(), path.c_str(), 0);
  return info.has_value() && S_ISREG(info.value().st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// posix_spawn's option objects: /dev/null, /dev/null and `err` as standard streams, default signals.
class SpawnOptions {
 public:
  explicit SpawnOptions(int err) {
    (void)::posix_spawn_file_actions_init(&actions);
    (void)::posix_spawnattr_init(&attributes);
    (void)::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    (void)::posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    (void)::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    (void)::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t none;
    sigset_t all;
    (void)::sigemptyset(&none);
    (void)::sigfillset(&all);
    (void)::posix_spawnattr_setsigmask(&attributes, &none);
    (void)::posix_spawnattr_setsigdefault(&attributes, &all);
    (void)::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    (void)::posix_spawn_file_actions_destroy(&actions);
    (void)::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

Result<pid_t> spawn_helper(const std::string& helper, std::vector<std::string> arguments, int err) {
  const SpawnOptions options(err);
  std::vector<char*> argv = pointers(arguments);
  std::array<char*, 1> no_environment{nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, helper.c_str(), &options.actions, &options.attributes, argv.data(),
                                   no_environment.data());
  if (failed != 0) return Error::system("execve", failed, helper);
  return pid;
}

std::string on_one_line(std::string words) {
  while (!words.empty() && words.back() == '\n')
    words.pop_back();
  for (char& c : words) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return words;
}

std::string describe_end(const sys::ExitStatus& end, std::string words) {
  words = on_one_line(std::move(words));
  if (!words.empty()) return words;
  return cat({end.signaled ? "killed by signal " : "exit status ", std::to_string(end.code)});
}

}  // namespace

std::string find_helper(std::string_view name, const char* path) {
  const std::string_view places = path == nullptr || *path == '\0' ? kUsualPlaces : path;
  for (const std::string_view directory : split(places, ':')) {
    if (!directory.starts_with('/')) continue;
    std::string candidate = cat({directory, "/", name});
    if (is_program(candidate)) return candidate;
  }
  return {};
}

std::vector<std::string> helper_arguments(std::string_view name, pid_t pid, std::string_view lines) {
  std::vector<std::string> arguments{std::string(name), std::to_string(pid)};
  for (const std::string_view line : split(lines, '\n')) {
    for (const std::string_view number : split(line, ' '))
      arguments.emplace_back(number);
  }
  return arguments;
}

Status run_map_helper(const std::string& helper, pid_t pid, std::string_view lines, int timeout_ms) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) < 0) return Error::system("pipe2", errno);
  const UniqueFd words(ends[0]);
  UniqueFd err(ends[1]);

  const std::string_view name = std::string_view(helper).substr(helper.rfind('/') + 1);
  const pid_t child = TRY(spawn_helper(helper, helper_arguments(name, pid, lines), err.get()));
  err.reset();
  const UniqueFd pidfd = TRY(sys::pidfd_open(child));
  std::array waiting{pollfd{pidfd.get(), POLLIN, 0}};
  const bool hangs = TRY(sys::poll(waiting, timeout_ms)) == 0;
  if (hangs) (void)sys::pidfd_send_signal(pidfd, SIGKILL);  // set-user-ID: it may be refused
  if (hangs) {
    return Error::peer(cat({name, " did not end within ", std::to_string(timeout_ms), " ms"}));
  }
  const sys::ExitStatus end = TRY(sys::wait_exited(pidfd));
  if (!end.signaled && end.code == 0) return {};
  std::array<char, kWordsKept> said{};
  const Result<std::size_t> length =
      sys::read(words, said);  // fails if it said nothing and left the pipe open
  const std::string text(said.data(), length.has_value() ? length.value() : 0);
  return Error::peer(cat({name, " refused: ", describe_end(end, text)}));
}

}  // namespace capsule::launch
