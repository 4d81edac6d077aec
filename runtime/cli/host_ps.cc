#include "runtime/cli/host_ps.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/program.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

// Podman calls us without PATH.
std::string search_path() {
  const char* path = std::getenv("PATH");
  return path != nullptr && *path != 0 ? path
                                       : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

Result<pid_t> spawn_ps(const std::vector<std::string>& arguments, FdRef output) {
  std::vector<std::string> words{"ps"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::string path = search_path();
  int failure = ENOENT;
  for (const std::string_view directory : split(path, ':')) {
    if (directory.substr(0, 1) != "/") continue;  // never the current directory: it may be the bundle
    const std::string program = cat({directory, "/ps"});
    const Result<pid_t> pid =
        spawn_program({.path = program, .arguments = words, .in = FdRef(-1), .out = output, .err = output});
    if (pid.has_value()) return pid.value();
    const int err = pid.error().code();
    if (err != ENOENT && err != ENOTDIR) failure = err;
  }
  if (failure != ENOENT) return Error::system("posix_spawn", failure, "ps");
  return Error::peer(cat({"there is no ps in ", path, "; --format json does without"}));
}

Result<int> wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return Error::system("waitpid", errno, "ps");
  }
  return status;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (const std::string_view field : split(line, ' ')) {
    if (!field.empty()) fields.push_back(field);
  }
  return fields;
}

std::optional<std::size_t> find_pid_column(std::string_view header) {
  const std::vector<std::string_view> titles = fields_of(header);
  const auto found = std::find(titles.begin(), titles.end(), "PID");
  if (found == titles.end()) return std::nullopt;
  return static_cast<std::size_t>(found - titles.begin());
}

bool is_row_of(std::string_view line, std::size_t pid_column, const std::vector<std::int64_t>& pids) {
  const std::vector<std::string_view> fields = fields_of(line);
  if (pid_column >= fields.size()) return false;
  const std::optional<std::int64_t> pid = parse_integer<std::int64_t>(fields[pid_column]);
  return pid && std::find(pids.begin(), pids.end(), *pid) != pids.end();
}

}  // namespace

Result<std::string> run_host_ps(const std::vector<std::string>& arguments) {
  Pipe pipe = TRY(open_pipe(0));
  const pid_t pid = TRY(spawn_ps(arguments, pipe.write_end));
  pipe.write_end.reset();  // or we would wait for ourselves
  Result<std::string> listing = read_fd(pipe.read_end, "the output of ps");
  const int status = TRY(wait_for(pid));
  if (!listing.has_value()) return listing;
  if (status != 0) return Error::peer(cat({"ps on the host failed: ", listing.value()}));
  return listing;
}

Result<std::string> select_rows(std::string_view listing, const std::vector<std::int64_t>& pids) {
  const std::vector<std::string_view> lines = split(listing, '\n');
  const std::optional<std::size_t> pid_column = lines.empty() ? std::nullopt : find_pid_column(lines[0]);
  if (!pid_column) return Error::peer("ps on the host printed no PID column");
  std::string selected = cat({lines[0], "\n"});
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (is_row_of(lines[i], *pid_column, pids)) selected.append(lines[i]).append("\n");
  }
  return selected;
}

}  // namespace capsule::cli
