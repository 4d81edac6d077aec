#include "runtime/cli/host_ps.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

constexpr std::string_view kListing =
    "UID          PID    PPID  C STIME TTY          TIME CMD\n"
    "root           1       0  0 10:00 ?        00:00:01 /sbin/init\n"
    "root          12       1  0 10:00 ?        00:00:00 sh -c echo 7\n"
    "nobody         7      12  0 10:00 ?        00:00:00 sleep 12\n";

// A directory that is the whole PATH, with a ps made of `script`; none if it is empty.
class OnlyThisPs {
 public:
  explicit OnlyThisPs(std::string_view script) {
    REQUIRE(::mkdtemp(directory_.data()) != nullptr);
    const char* before = std::getenv("PATH");
    before_ = before == nullptr ? "" : before;
    REQUIRE(::setenv("PATH", directory_.c_str(), 1) == 0);
    if (script.empty()) return;
    REQUIRE(replace_file_at_path(directory_ + "/ps", cat({"#!/bin/sh\n", script}), 0755).has_value());
    REQUIRE(::chmod((directory_ + "/ps").c_str(), 0755) == 0);
  }
  OnlyThisPs(const OnlyThisPs&) = delete;
  OnlyThisPs& operator=(const OnlyThisPs&) = delete;
  ~OnlyThisPs() {
    (void)::setenv("PATH", before_.c_str(), 1);
    (void)::unlink((directory_ + "/ps").c_str());
    (void)::rmdir(directory_.c_str());
  }

 private:
  std::string directory_ = "/tmp/capsule-ps-XXXXXX";
  std::string before_;
};

}  // namespace

TEST_CASE("of the host's processes the header and the container's rows are kept, in order", "[cli][ps]") {
  CHECK(select_rows(kListing, {7, 12, 99}).value() ==
        "UID          PID    PPID  C STIME TTY          TIME CMD\n"
        "root          12       1  0 10:00 ?        00:00:00 sh -c echo 7\n"
        "nobody         7      12  0 10:00 ?        00:00:00 sleep 12\n");
}

TEST_CASE("the PID column is found by its title, wherever it is", "[cli][ps]") {
  CHECK(select_rows("CMD PID\ninit 1\nsh 2\n", {2}).value() == "CMD PID\nsh 2\n");
  CHECK(select_rows("  PID\n    1\n    2\n", {1}).value() == "  PID\n    1\n");
}

TEST_CASE("rows that are no processes are dropped", "[cli][ps]") {
  CHECK(select_rows("PID CMD\nwarning: odd\n\n1 init\n", {1}).value() == "PID CMD\n1 init\n");
}

TEST_CASE("a listing without a PID column is an error", "[cli][ps]") {
  CHECK_FALSE(select_rows("USER CMD\nroot init\n", {1}).has_value());
  CHECK_FALSE(select_rows("", {1}).has_value());
}

TEST_CASE("ps gets its arguments one by one, without a shell", "[cli][ps]") {
  const OnlyThisPs ps("for word; do echo \"[$word]\"; done\n");

  CHECK(run_host_ps({"-o", "pid, cmd", "$(false)"}).value() == "[-o]\n[pid, cmd]\n[$(false)]\n");
}

TEST_CASE("a ps that fails is quoted", "[cli][ps]") {
  const OnlyThisPs ps("echo 'unknown option' >&2\nexit 1\n");

  const Result<std::string> result = run_host_ps({"-z"});

  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message() == "ps on the host failed: unknown option\n");
}

TEST_CASE("a host without ps is told about --format json", "[cli][ps]") {
  const OnlyThisPs no_ps("");

  const Result<std::string> result = run_host_ps({"-ef"});

  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message().find("--format json") != std::string::npos);
}
