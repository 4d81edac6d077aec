#include "runtime/cli/output.h"

#include <unistd.h>

#include <csignal>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

// Half of what engines read, since quoting in JSON can double the text.
constexpr std::size_t kLongestMessage = 4000;
constexpr std::string_view kCut = "...";

// "state c1: c1: container does not exist" names the container twice: here because we say what was asked, and
// below because whoever knows only the id says that. What the first words said is not said again.
std::string say_once(std::string_view message) {
  const std::size_t colon = message.find(": ");
  if (colon == std::string_view::npos) return std::string(message);
  const std::string_view purpose = message.substr(0, colon);
  const std::string_view object = purpose.substr(purpose.rfind(' ') + 1);  // npos + 1 is 0
  std::string_view rest = message.substr(colon + 2);
  for (const std::string_view said : {purpose, object}) {
    const std::string prefix = cat({said, ": "});
    if (rest.substr(0, prefix.size()) == prefix) rest.remove_prefix(prefix.size());
  }
  return cat({purpose, ": ", rest});
}

bool continues_a_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

Status print(std::string_view text) {
  return sys::write_all(FdRef(STDOUT_FILENO), text).context("write standard output");
}

std::string describe_failure(std::string_view message) {
  std::string line = cat({"capsule: ", say_once(message)});
  while (!line.empty() && line.back() == '\n')
    line.pop_back();
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (line.size() <= kLongestMessage) return line;
  std::size_t end = kLongestMessage - kCut.size();
  while (end > 0 && continues_a_character(line[end]))
    --end;
  return line.substr(0, end).append(kCut);
}

void report(const Error& error, log::Format format) {
  const std::string line = describe_failure(error.message());
  if (log::goes_to_file() || format == log::Format::json) log::write(log::Level::error, line);
  if (log::goes_to_file() || format == log::Format::text) {
    (void)std::signal(SIGPIPE, SIG_IGN);  // a failure ends with its exit code, whoever has stopped reading
    (void)sys::write_all(FdRef(STDERR_FILENO),
                         line + "\n");  // one write(2); if it fails there is nobody left to tell
  }
}

}  // namespace capsule::cli
