#include "runtime/launch/map_helper.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::launch {
namespace {

// A shell script where newuidmap would be.
std::string make_program(const std::string& path, const std::string& script, mode_t mode = 0755) {
  std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

std::string message_of(const Status& status) {
  return status.has_value() ? "" : status.error().message();
}

TEST_CASE("R18: a helper is found in absolute directories of PATH alone", "[launch][maps]") {
  const test::Scratch scratch;
  const std::string here = scratch.path();
  for (const char* name : {"first", "second", "third"})
    REQUIRE(::mkdir((here + "/" + name).c_str(), 0755) == 0);
  REQUIRE(::mkdir((here + "/first/newuidmap").c_str(), 0755) == 0);  // not a file
  make_program(here + "/second/newuidmap", "", 0644);                // not executable
  const std::string program = make_program(here + "/third/newuidmap", "");

  const std::string path = "::.:third:" + here + "/first:" + here + "/second:" + here + "/third";
  REQUIRE(::chdir(here.c_str()) == 0);
  CHECK(find_helper("newuidmap", path.c_str()) == program);
  CHECK(find_helper("newuidmap", "third").empty());
  CHECK(find_helper("newuidmap", (here + "/first").c_str()).empty());
  CHECK(find_helper("sh", nullptr).starts_with("/"));
  CHECK(find_helper("sh", "").starts_with("/"));
  REQUIRE(::chdir("/") == 0);
}

TEST_CASE("a helper is told the process and three numbers for each range", "[launch][maps]") {
  const std::vector<std::string> expected{"newgidmap", "42", "0", "1000", "1", "1", "100000", "65536"};
  CHECK(helper_arguments("newgidmap", 42, "0 1000 1\n1 100000 65536\n") == expected);
}

TEST_CASE("R18: a helper runs without the caller's environment", "[launch][maps]") {
  const test::Scratch scratch;
  const std::string program =
      make_program(scratch.path() + "/newuidmap", "{ echo \"$@\"; env; } >" + scratch.at("log"));
  REQUIRE(::setenv("LD_PRELOAD_OF_THE_CALLER", "evil", 1) == 0);

  CHECK(message_of(run_map_helper(program, 42, "0 1000 1\n")).empty());

  CHECK(scratch.content("log").starts_with("42 0 1000 1\n"));
  CHECK(scratch.content("log").find("evil") == std::string::npos);
}

TEST_CASE("a helper that refuses is quoted on one line", "[launch][maps]") {
  struct Case {
    const char* script;
    const char* message;
  };
  const test::Scratch scratch;
  for (const Case& c : {
           Case{"echo 'newuidmap: uid range not allowed' >&2; echo more >&2; exit 1",
                "newuidmap refused: newuidmap: uid range not allowed more"},
           Case{"exit 7", "newuidmap refused: exit status 7"},
           Case{"kill -9 $$", "newuidmap refused: killed by signal 9"},
           Case{"printf 'a\\033[31m\\n' >&2; exit 1", "newuidmap refused: a [31m"},
       }) {
    const std::string program = make_program(scratch.path() + "/newuidmap", c.script);
    CHECK(message_of(run_map_helper(program, 42, "0 1000 1\n")) == c.message);
  }
}

TEST_CASE("a helper that hangs is given up", "[launch][maps]") {
  const test::Scratch scratch;
  const std::string program = make_program(scratch.path() + "/newuidmap", "exec sleep 1000");

  CHECK(message_of(run_map_helper(program, 42, "0 1000 1\n", 50)) == "newuidmap did not end within 50 ms");
}

TEST_CASE("a helper is not waited for when it leaves its pipe to somebody", "[launch][maps]") {
  const test::Scratch scratch;
  const std::string program = make_program(scratch.path() + "/newuidmap", "sleep 2 & echo no >&2; exit 1");

  CHECK(message_of(run_map_helper(program, 42, "0 1000 1\n", 1500)) == "newuidmap refused: no");
}

TEST_CASE("a helper that cannot be executed is named", "[launch][maps]") {
  CHECK(message_of(run_map_helper("/no/such/newuidmap", 42, "0 1000 1\n")) ==
        "execve /no/such/newuidmap: no such file or directory (ENOENT)");
}

}  // namespace
}  // namespace capsule::launch
