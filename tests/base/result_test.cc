#include "runtime/base/result.h"

#include <cerrno>
#include <memory>

#include "tests/support/catch.h"

namespace capsule {
namespace {

TEST_CASE("an error names the call, what it was called on, and errno in words and letters",
          "[base][result]") {
  const Error error = Error::system("openat", ENOENT, "nope");
  CHECK(error.message() == "openat nope: no such file or directory (ENOENT)");
  CHECK(error.kind() == ErrorKind::system);
  CHECK(error.code() == ENOENT);
  CHECK(Error::system("pipe2", EMFILE).message() == "pipe2: too many open files (EMFILE)");
}

TEST_CASE("errno texts begin in lower case, as those that engines match", "[base][result]") {
  struct Case {
    int err;
    const char* text;
  };
  for (const Case& c : {
           Case{ENOENT, "no such file or directory (ENOENT)"},
           Case{EACCES, "permission denied (EACCES)"},
           Case{EPERM, "operation not permitted (EPERM)"},
           Case{EBUSY, "device or resource busy (EBUSY)"},
           Case{ENOTEMPTY, "directory not empty (ENOTEMPTY)"},
           Case{EAGAIN, "resource temporarily unavailable (EAGAIN)"},
           Case{EOPNOTSUPP, "operation not supported (EOPNOTSUPP)"},
           Case{EIO, "input/output error (EIO)"},
           Case{ENOEXEC, "exec format error (ENOEXEC)"},
           Case{70000, "errno 70000"},
       }) {
    CHECK(describe_errno(c.err) == c.text);
  }
}

TEST_CASE("an error in the configuration begins with its JSON pointer", "[base][result]") {
  const Error error = Error::invalid_config("/linux/namespaces/2/path", "must be absolute");
  CHECK(error.message() == "/linux/namespaces/2/path: must be absolute");
  CHECK(error.kind() == ErrorKind::invalid_config);
  CHECK(Error::invalid_config("", "must be an object").message() == "config.json: must be an object");
}

TEST_CASE("purpose goes in front, outermost first, and a hint behind", "[base][result]") {
  const Error error =
      Error::system("clone3", EPERM).hint("see user_namespaces(7)").with({"spawn"}).with({"create ", "c1"});
  CHECK(error.message() ==
        "create c1: spawn: clone3: operation not permitted (EPERM); see user_namespaces(7)");
  CHECK(Error::peer("x").hint("").message() == "x");
}

Result<int> fails() {
  return Error::not_found("no such thing");
}
Result<int> adds(int a, Result<int> b) {
  const int sum = a + TRY(std::move(b).context("add ", "b"));
  return sum;
}
Status passes_on(Result<int> value) {
  (void)TRY(std::move(value));
  return {};
}

TEST_CASE("TRY takes the value or returns the error with its context", "[base][result]") {
  CHECK(adds(1, 2).value() == 3);

  const Result<int> failed = adds(1, fails());
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().message() == "add b: no such thing");
  CHECK(failed.error().kind() == ErrorKind::not_found);
}

TEST_CASE("a status is success until it holds an error", "[base][result]") {
  CHECK(passes_on(1).has_value());
  const Status failed = passes_on(fails()).context("purpose");
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().message() == "purpose: no such thing");
}

TEST_CASE("results carry values that can only be moved", "[base][result]") {
  Result<std::unique_ptr<int>> owner = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(owner).context("unused words").value();
  CHECK(*taken == 7);
}

TEST_CASE("an error is one pointer wide", "[base][result]") {
  CHECK(sizeof(Error) == sizeof(void*));
  CHECK(sizeof(Status) == sizeof(void*));
}

}  // namespace
}  // namespace capsule
