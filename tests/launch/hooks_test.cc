#include "runtime/launch/hooks.h"

#include <chrono>
#include <csignal>

#include "runtime/launch/interrupts.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::launch {
namespace {

spec::Hook shell(const std::string& script) {
  return {.path = "/bin/sh", .args = {"sh", "-c", script}, .env = {}, .timeout = {}};
}

Status run(const std::vector<spec::Hook>& hooks,
           const test::Scratch& scratch,
           const std::string& state = "{\"id\":\"c1\"}") {
  return run_hooks({.kind = "createRuntime", .hooks = &hooks, .state = state, .bundle = scratch.path()});
}

TEST_CASE("a hook reads the state, in the bundle, and may be silent about it", "[launch][hooks]") {
  const test::Scratch scratch;
  REQUIRE(run({shell("cat > seen"), {.path = "/bin/true"}}, scratch).has_value());
  CHECK(scratch.content("seen") == "{\"id\":\"c1\"}");
}

TEST_CASE("hooks run one after another and stop at the first that fails", "[launch][hooks]") {
  const test::Scratch scratch;
  const Status ran = run(
      {shell("echo first >> log"), shell("echo second >> log; exit 3"), shell("echo third >> log")}, scratch);
  REQUIRE_FALSE(ran.has_value());
  CHECK(scratch.content("log") == "first\nsecond\n");
  CHECK(ran.error().message().find("error running createRuntime hook #1 (/bin/sh): ") == 0);
}

TEST_CASE("a failure says how the hook ended and what it printed last, on one line", "[launch][hooks]") {
  const test::Scratch scratch;
  struct Case {
    const char* script;
    const char* text;
  };
  for (const Case& c : {
           Case{"echo no such network >&2; exit 3", "exit status 3, output: no such network"},
           Case{"printf 'a\\nb\\n'; exit 1", "exit status 1, output: a b"},
           Case{"kill -9 $$", "killed by signal 9, output: "},
       }) {
    const Status ran = run({shell(c.script)}, scratch);
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().message() == std::string("error running createRuntime hook #0 (/bin/sh): ") + c.text);
  }
}

TEST_CASE("of a long output the end is kept", "[launch][hooks]") {
  const test::Scratch scratch;
  const Status ran =
      run({shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1")}, scratch);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message().find("line 19999") != std::string::npos);
  CHECK(ran.error().message().size() < 700);
}

TEST_CASE("a hook that does not exist is an error that names it", "[launch][hooks]") {
  const test::Scratch scratch;
  const Status ran = run({{.path = "/nonexistent/hook"}}, scratch);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message() ==
        "error running createRuntime hook #0 (/nonexistent/hook): execve /nonexistent/hook: no such file or "
        "directory (ENOENT)");
}

TEST_CASE("a hook that takes too long is killed", "[launch][hooks]") {
  const test::Scratch scratch;
  spec::Hook slow = shell("exec sleep 60");
  slow.timeout = 1;
  const auto begin = std::chrono::steady_clock::now();
  const Status ran = run({slow}, scratch);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message() ==
        "error running createRuntime hook #0 (/bin/sh): hook ran past specified timeout of 1s");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("of a hook that is killed for its time the output is told too", "[launch][hooks]") {
  const test::Scratch scratch;
  spec::Hook slow = shell("echo waiting for godot; exec sleep 60");
  slow.timeout = 1;
  const Status ran = run({slow}, scratch);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message() ==
        "error running createRuntime hook #0 (/bin/sh): hook ran past specified timeout of 1s, output: "
        "waiting for "
        "godot");
}

TEST_CASE("a hook may be given weeks", "[launch][hooks]") {
  const test::Scratch scratch;
  spec::Hook patient = shell("sleep 1");
  patient.timeout = 4'294'968;  // 704 ms more than 32 bits hold
  CHECK(run({patient}, scratch).has_value());
}

TEST_CASE("what a hook leaves behind does not keep us, silent or talkative", "[launch][hooks]") {
  for (const char* straggler : {"sleep 60", "exec yes"}) {
    const test::Scratch scratch;
    const auto begin = std::chrono::steady_clock::now();
    const Status ran =
        run({shell("echo begun; (" + std::string(straggler) + ") & echo $! > pid; exit 0")}, scratch);
    CHECK(ran.has_value());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    ::kill(std::stoi(scratch.content("pid")), SIGKILL);
  }
}

TEST_CASE("a signal that asks us to give up ends the hook that runs", "[launch][hooks]") {
  const test::Scratch scratch;
  const UniqueFd interrupts = open_interrupts().value();
  ::raise(SIGTERM);
  const std::vector<spec::Hook> hooks{shell("exec sleep 60")};
  const Status ran = run_hooks({.kind = "createRuntime",
                                .hooks = &hooks,
                                .state = "{}",
                                .bundle = scratch.path(),
                                .interrupts = interrupts});
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message() == "error running createRuntime hook #0 (/bin/sh): interrupted (SIGTERM)");
}

TEST_CASE("a hook that never reads its state does not stop us, however large it is", "[launch][hooks]") {
  const test::Scratch scratch;
  CHECK(run({{.path = "/bin/true"}}, scratch, std::string(1U << 20U, 'x')).has_value());
  CHECK(run({shell("exec <&-; exit 0")}, scratch, std::string(1U << 20U, 'x')).has_value());
}

TEST_CASE("a state larger than a pipe arrives whole", "[launch][hooks]") {
  const test::Scratch scratch;
  const std::string state(300'000, 'x');
  REQUIRE(run({shell("cat > seen")}, scratch, state).has_value());
  CHECK(scratch.content("seen") == state);
}

TEST_CASE("a large state and a talkative hook do not wait for each other", "[launch][hooks]") {
  const test::Scratch scratch;
  spec::Hook talkative = shell("head -c 300000 /dev/zero; cat > seen");
  talkative.timeout = 20;
  const std::string state(300'000, 'x');
  REQUIRE(run({talkative}, scratch, state).has_value());
  CHECK(scratch.content("seen") == state);
}

TEST_CASE("a hook that neither reads nor ends is killed all the same", "[launch][hooks]") {
  const test::Scratch scratch;
  spec::Hook deaf = shell("exec sleep 60");
  deaf.timeout = 1;
  const Status ran = run({deaf}, scratch, std::string(300'000, 'x'));
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().message().find("hook ran past specified timeout of 1s") != std::string::npos);
}

TEST_CASE("a hook has the environment it asks for, and ours if it asks for none", "[launch][hooks]") {
  const test::Scratch scratch;
  ::setenv("CAPSULE_HOOK_TEST", "inherited", 1);
  spec::Hook own = shell("echo \"$A-$CAPSULE_HOOK_TEST\" > own");
  own.env = {"A=1"};
  REQUIRE(run({own, shell("echo \"$A-$CAPSULE_HOOK_TEST\" > ours")}, scratch).has_value());
  ::unsetenv("CAPSULE_HOOK_TEST");
  CHECK(scratch.content("own") == "1-\n");
  CHECK(scratch.content("ours") == "-inherited\n");
}

TEST_CASE("a hook without arguments has its own path as the first", "[launch][hooks]") {
  const test::Scratch scratch;
  scratch.write("hook", "#!/bin/sh\necho \"$0\" > \"$(dirname \"$0\")/name\"\n");
  std::filesystem::permissions(scratch.at("hook"), std::filesystem::perms::owner_all);
  REQUIRE(run({{.path = scratch.at("hook")}}, scratch).has_value());
  CHECK(scratch.content("name") == scratch.at("hook") + "\n");
}

TEST_CASE("a hook inherits no descriptor but its three", "[launch][hooks]") {
  const test::Scratch scratch;
  REQUIRE(run({shell("ls /proc/self/fd | wc -l > count")}, scratch).has_value());
  CHECK(std::stoi(scratch.content("count")) == 4);  // with the one ls reads the directory by
}

TEST_CASE("hooks that run to the end do not stop at one that fails", "[launch][hooks]") {
  const test::Scratch scratch;
  const std::vector<spec::Hook> hooks{shell("exit 1"), shell("echo second > log")};
  run_hooks_to_the_end({.kind = "poststop", .hooks = &hooks, .state = "{}", .bundle = scratch.path()});
  CHECK(scratch.content("log") == "second\n");
}

}  // namespace
}  // namespace capsule::launch
