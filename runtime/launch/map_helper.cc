#include "runtime/launch/map_helper.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>

#include "runtime/base/file.h"
#include "runtime/base/program.h"
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
  Pipe words = TRY(open_pipe(O_NONBLOCK));
  const std::string_view name = std::string_view(helper).substr(helper.rfind('/') + 1);
  const std::vector<std::string> no_environment;
  const pid_t child = TRY(spawn_program({.path = helper,
                                         .arguments = helper_arguments(name, pid, lines),
                                         .environment = &no_environment,
                                         .in = FdRef(-1),
                                         .out = FdRef(-1),
                                         .err = words.write_end}));
  words.write_end.reset();
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
      sys::read(words.read_end, said);  // fails if it said nothing and left the pipe open
  const std::string text(said.data(), length.has_value() ? length.value() : 0);
  return Error::peer(cat({name, " refused: ", describe_end(end, text)}));
}

}  // namespace capsule::launch
