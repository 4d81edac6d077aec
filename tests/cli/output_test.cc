#include "runtime/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

// Standard error of the enclosing scope, in a pipe.
class CapturedStderr {
 public:
  CapturedStderr() : saved_(::dup(STDERR_FILENO)) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read_end_ = UniqueFd(ends[0]);
    const UniqueFd write_end(ends[1]);
    REQUIRE(::dup2(write_end.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() { restore(); }

  std::string text() {
    restore();
    return read_fd(read_end_, "pipe").value();
  }

 private:
  void restore() {
    if (saved_.is_open()) (void)::dup2(saved_.get(), STDERR_FILENO);
    saved_.reset();
  }
  UniqueFd saved_, read_end_;
};

std::string reported(std::string_view message, log::Format format) {
  CapturedStderr captured;
  report(Error::wrong_state(message), format);
  return captured.text();
}

}  // namespace

TEST_CASE("a failure is one line whatever was said", "[cli][output]") {
  CHECK(describe_failure("create c1: container does not exist") ==
        "capsule: create c1: container does not exist");
  CHECK(describe_failure("hook said:\na\tb\n") == "capsule: hook said: a b");
  CHECK(describe_failure(std::string_view("a\0b\x1b[31m\x7f", 9)) == "capsule: a b [31m ");
}

TEST_CASE("what was asked and of whom is said once, however many layers say it", "[cli][output]") {
  struct Case {
    std::string_view message;
    std::string_view line;
  };
  const Case cases[] = {
      {"state c1: c1: container does not exist", "capsule: state c1: container does not exist"},
      {"delete c1: delete c1: cgroup is busy", "capsule: delete c1: cgroup is busy"},
      {"delete c1: delete c1: c1: cgroup is busy", "capsule: delete c1: cgroup is busy"},
      {"pause c1: pause: freezer did not answer", "capsule: pause c1: pause: freezer did not answer"},
      {"state c1: c10: container does not exist", "capsule: state c1: c10: container does not exist"},
      {"create c1: exec: \"c1: x\": permission denied",
       "capsule: create c1: exec: \"c1: x\": permission denied"},
      {"list: list: --root: no such file or directory", "capsule: list: --root: no such file or directory"},
      {"\"create\" requires exactly 1 argument(s)", "capsule: \"create\" requires exactly 1 argument(s)"},
  };
  for (const Case& c : cases) {
    INFO(c.message);
    CHECK(describe_failure(c.message) == c.line);
  }
}

TEST_CASE("a failure fits into the single read of an engine, even when every character is quoted",
          "[cli][output]") {
  const std::string line = describe_failure(std::string(20000, '"'));

  CHECK(line.size() == 4000);
  CHECK(line.substr(0, 10) == "capsule: \"");
  CHECK(line.substr(line.size() - 3) == "...");
}

TEST_CASE("a long failure is not cut inside a character", "[cli][output]") {
  for (const std::string_view start :
       {"", "x"}) {  // one of the two puts the limit between the bytes of a letter
    std::string message(start);
    while (message.size() < 8000)
      message.append("\u00fc");

    const std::string line = describe_failure(message);

    const std::size_t letters = line.size() - 9 - start.size() - 3;
    CHECK(letters % 2 == 0);
    CHECK(line.substr(line.size() - 5) == "\u00fc...");
  }
}

TEST_CASE("without a log file the failure is told once on standard error, in the format of the log",
          "[cli][output]") {
  CHECK(reported("state c1: container does not exist", log::Format::text) ==
        "capsule: state c1: container does not exist\n");

  REQUIRE(log::open({.path = "", .format = log::Format::json}).has_value());
  const std::string line = reported("state c1: no \"c1\"", log::Format::json);
  REQUIRE(log::open({}).has_value());

  CHECK(line.substr(0, 62) == R"({"level":"error","msg":"capsule: state c1: no \"c1\"","time":")");
  CHECK(line.substr(line.size() - 3) == "\"}\n");
}
