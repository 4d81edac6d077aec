// Reads the command line, opens the log, calls the command, prints the one line of a failure, returns the
// exit code.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "runtime/base/latency.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/help.h"
#include "runtime/cli/output.h"
#include "runtime/cli/version.h"

namespace {

using namespace capsule;

constexpr int kFailed = 1;

// Without this a file we open could become descriptor 0, 1 or 2, and with it the container's.
void open_missing_stdio() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0)
      (void)::open("/dev/null", O_RDWR);  // NOLINT(android-cloexec-open): the lowest free one is `fd`
  }
}

// Nothing is thrown here but std::bad_alloc.
[[noreturn]] void die_out_of_memory() {
  constexpr std::string_view kLine = "capsule: out of memory\n";
  (void)!::write(STDERR_FILENO, kLine.data(), kLine.size());
  ::_exit(kFailed);
}

std::string default_root() {
  const Result<container::Store> store = container::Store::open(std::nullopt);
  return store.has_value() ? store.value().root() : "$XDG_RUNTIME_DIR/capsule";
}

Result<int> answer_help(const cli::Command* command) {
  TRY(cli::print(command == nullptr ? cli::describe_program(default_root())
                                    : cli::describe_command(*command)));
  return 0;
}

Result<int> answer_version() {
  TRY(cli::print(cli::describe_version()));
  return 0;
}

Result<int> dispatch(const cli::Globals& globals, const cli::Arguments& arguments) {
  if (arguments.version) return answer_version();
  const cli::Command* command = cli::find_command(arguments.command);
  const cli::Run run = cli::find_run(arguments.command);
  if (!arguments.command.empty() && run == nullptr) {
    return Error::unsupported(cat({"No help topic for '", arguments.command, "'"}));
  }
  if (arguments.help || run == nullptr) return answer_help(command);
  return run(globals, arguments);
}

Result<int> open_log_and_dispatch(const cli::Globals& globals, const cli::Arguments& arguments) {
  TRY(log::open(globals.log));
  latency::mark("C library, command line, log");
  Result<int> code = dispatch(globals, arguments);
  latency::mark("the rest");
  latency::report();
  return code;
}

int run_program(const cli::Arguments& arguments) {
  const Result<cli::Globals> globals = cli::parse_globals(arguments);
  if (!globals.has_value()) {
    cli::report(globals.error(), log::Format::text);
    return kFailed;
  }
  const Result<int> code = open_log_and_dispatch(globals.value(), arguments);
  if (code.has_value()) return code.value();
  cli::report(code.error(), globals.value().log.format);
  return kFailed;
}

}  // namespace

// What std::terminate() calls unless told otherwise, defined here because libstdc++'s own links a demangler
// and stdio to print what was thrown: 47 KB that would be in memory at every launch.
void __gnu_cxx::__verbose_terminate_handler() {
  die_out_of_memory();
}

int main(int argc, char** argv) {
  open_missing_stdio();
  return run_program(cli::split_arguments(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc)));
}
