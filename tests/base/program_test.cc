#include "runtime/base/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/base/file.h"
#include "tests/support/catch.h"

using namespace capsule;

namespace {

// What a shell prints, given `script`.
std::string printed_by(const std::string& script,
                       const std::vector<std::string>* environment = nullptr,
                       const char* directory = nullptr) {
  Pipe out = open_pipe(0).value();
  const std::string shell = "/bin/sh";
  const Result<pid_t> pid = spawn_program({.path = shell,
                                           .arguments = {"sh", "-c", script},
                                           .environment = environment,
                                           .in = FdRef(-1),
                                           .out = out.write_end,
                                           .err = out.write_end,
                                           .directory = directory});
  REQUIRE(pid.has_value());
  out.write_end.reset();
  std::string text = read_fd(out.read_end, "output").value();
  REQUIRE(::waitpid(pid.value(), nullptr, 0) == pid.value());
  return text;
}

}  // namespace

TEST_CASE("a program gets no descriptor but its three", "[base][program]") {
  const UniqueFd inherited(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open): that is the point
  REQUIRE(inherited.is_open());
  CHECK(printed_by("for i in 0 1 2 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$i ] || echo $i; done") ==
        "0\n1\n2\n");
}

TEST_CASE("a program starts with default signals and none blocked", "[base][program]") {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGPIPE, &ignore, &before) == 0);
  sigset_t blocked;
  sigset_t old;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  REQUIRE(::sigprocmask(SIG_BLOCK, &blocked, &old) == 0);
  // The C library keeps 32 and 33 for itself and never resets them, so that of those only the tester's parent
  // decides.
  CHECK(printed_by("grep -cE 'SigBlk:.0000000000000000|SigIgn:.0*[0-9a-f]?[08]0000000$' /proc/self/status") ==
        "2\n");
  REQUIRE(::sigprocmask(SIG_SETMASK, &old, nullptr) == 0);
  REQUIRE(::sigaction(SIGPIPE, &before, nullptr) == 0);
}

TEST_CASE("environment and directory are those of the call", "[base][program]") {
  const std::vector<std::string> environment{"ONE=1"};
  CHECK(printed_by("echo $ONE; pwd", &environment, "/proc") == "1\n/proc\n");
}

TEST_CASE("a program that is not there is told with its path", "[base][program]") {
  const std::string path = "/nowhere/program";
  const Result<pid_t> pid = spawn_program(
      {.path = path, .arguments = {"program"}, .in = FdRef(-1), .out = FdRef(-1), .err = FdRef(-1)});
  REQUIRE_FALSE(pid.has_value());
  CHECK(pid.error().code() == ENOENT);
  CHECK(pid.error().message() == "execve /nowhere/program: no such file or directory (ENOENT)");
}
