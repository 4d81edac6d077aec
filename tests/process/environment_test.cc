#include "runtime/process/environment.h"

#include "runtime/process/plan.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

using Strings = std::vector<std::string>;

TEST_CASE("the environment is the configured one, without duplicates", "[process][environment]") {
  struct Case {
    Strings env, extra, expected;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{}, {}, {}, "nothing of ours is added"},
      {{"B=1", "A=2"}, {}, {"B=1", "A=2"}, "order is kept"},
      {{"A=1", "B=2", "A=3"}, {}, {"A=3", "B=2"}, "the last wins, in the first one's place"},
      {{"A=1=2", "A="}, {}, {"A="}, "a name ends at the first equals sign; empty values count"},
      {{"AB=1", "A=2"}, {}, {"AB=1", "A=2"}, "a longer name is another name"},
      {{"A=1"},
       {"LISTEN_FDS=2", "LISTEN_PID=1"},
       {"A=1", "LISTEN_FDS=2", "LISTEN_PID=1"},
       "extras come last"},
      {{"LISTEN_FDS=9", "A=1"}, {"LISTEN_FDS=2"}, {"LISTEN_FDS=2", "A=1"}, "extras win"},
      {{"HOME=", "A=1"}, {}, {"A=1"}, "an empty HOME is left to /etc/passwd"},
      {{"HOME=/a", "HOME="}, {}, {}, "also if it came last"},
      {{"HOME=/a"}, {}, {"HOME=/a"}, "a configured HOME stays"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Process process;
    process.env = c.env;
    CHECK(plan_environment(process, c.extra) == c.expected);
  }
}

TEST_CASE("programs are searched in PATH, or where they usually are", "[process][environment]") {
  CHECK(search_path({"A=1", "PATH=/x:/y"}) == "/x:/y");
  CHECK(search_path({"PATH="}).empty());
  CHECK(search_path({"XPATH=/x", "PATHS=/y", "PATH"}) ==
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

}  // namespace
}  // namespace capsule::process
