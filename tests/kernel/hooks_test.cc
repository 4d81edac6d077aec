#include <sys/wait.h>
#include <unistd.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;

struct Hook {
  std::string script;
  std::int64_t timeout_ms = -1;
  std::string path = "/bin/sh";
  std::string before = "{\"pid\":", after = "}\n";
};

std::string run_hook(const Hook& hook) {
  Builder builder;
  plan::RunHook step;
  step.path = builder.text(hook.path);
  step.args = builder.list({"sh", "-c", hook.script});
  step.env = builder.list({"PATH=/bin:/usr/bin", "A=1"});
  step.state_before_pid = builder.text(hook.before);
  step.state_after_pid = builder.text(hook.after);
  step.timeout_ms = hook.timeout_ms;
  builder.add("/hooks/createContainer/0", step);
  return Performance(builder).perform();
}

std::string run_in_world(const Hook& hook, const char* result = "") {
  return in_new_namespaces([&] {
    const std::string failed = run_hook(hook);
    return failed + (*result == '\0' ? "" : read_text(result));
  });
}

std::string failed_with(protocol::Problem problem, const std::string& rest) {
  return "step 0 run_hook /hooks/createContainer/0: problem " + std::to_string(static_cast<int>(problem)) +
         " hook " + rest;
}

TEST_CASE("a hook reads the state with the pid that only init knows", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "cat > /tmp/state"}, "/tmp/state") == "{\"pid\":1}\n");
}

TEST_CASE("a hook has the plan's environment and nothing of ours", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "/usr/bin/env | grep -v -e PWD -e SHLVL -e '^_=' | sort > /tmp/env"},
                     "/tmp/env") == "A=1\nPATH=/bin:/usr/bin\n");
}

TEST_CASE("a hook inherits no descriptor but its three", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "ls /proc/self/fd | tr '\\n' ' ' > /tmp/fds"}, "/tmp/fds") == "0 1 2 3 ");
}

TEST_CASE("a hook that fails is told with its exit status and what it printed", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "echo no; echo network >&2; exit 3"}) ==
        failed_with(protocol::Problem::hook_failed, "no network  ESRCH"));
  CHECK(run_in_world({.script = "kill -9 $$"}) == failed_with(protocol::Problem::hook_killed, " EBADF"));
}

TEST_CASE("of what a hook prints the end is kept, also when it comes at once", "[kernel][hooks]") {
  const std::string failed =
      run_in_world({.script = "i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done; "
                              "printf '%0600d' 7; exit 1"});
  CHECK(failed.find("problem " + std::to_string(static_cast<int>(protocol::Problem::hook_failed))) !=
        std::string::npos);
  CHECK(failed.find("0000007 EPERM") != std::string::npos);  // exit status 1
}

TEST_CASE("a hook may print more than a pipe holds", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "head -c 1000000 /dev/zero | tr '\\0' x && echo done > /tmp/done"},
                     "/tmp/done") == "done\n");
}

TEST_CASE("a hook that takes too long is killed", "[kernel][hooks]") {
  const std::string failed = run_in_world({.script = "echo waiting; exec sleep 50", .timeout_ms = 300});
  CHECK(failed.find(failed_with(protocol::Problem::hook_timed_out, "waiting")) == 0);
}

TEST_CASE("a hook that ends in time is not disturbed by its timeout", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "exit 0", .timeout_ms = 30'000}).empty());
}

TEST_CASE("a program that is not there ends like a shell would say it", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "", .path = "/nonexistent/hook"}) ==
        failed_with(protocol::Problem::hook_failed, " EKEYEXPIRED"));  // 127
}

TEST_CASE("a hook that never reads its state does no harm, though we are not process 1", "[kernel][hooks]") {
  const Hook deaf{.script = "exit 0", .after = std::string(1U << 20U, 'x')};
  CHECK(in_new_namespaces([&] {
          const pid_t pid = ::fork();
          if (pid == 0) ::_exit(run_hook(deaf).empty() ? 0 : 1);
          int status = 0;
          ::waitpid(pid, &status, 0);
          return WIFSIGNALED(status) ? "killed by " + std::to_string(WTERMSIG(status))
                                     : "exit " + std::to_string(WEXITSTATUS(status));
        }) == "exit 0");
}

TEST_CASE("a state larger than a pipe arrives whole", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "cat | wc -c > /tmp/size", .before = std::string(300'000, 'x'), .after = ""},
                     "/tmp/size") == "300001\n");
}

TEST_CASE("a large state and a talkative hook do not wait for each other", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "head -c 300000 /dev/zero; cat | wc -c > /tmp/size",
                      .timeout_ms = 20'000,
                      .before = std::string(300'000, 'x'),
                      .after = ""},
                     "/tmp/size") == "300001\n");
}

TEST_CASE("a hook that neither reads nor ends is killed all the same", "[kernel][hooks]") {
  const std::string failed =
      run_in_world({.script = "exec sleep 50", .timeout_ms = 300, .before = std::string(300'000, 'x')});
  CHECK(failed.find(failed_with(protocol::Problem::hook_timed_out, "")) == 0);
}

TEST_CASE("what a hook leaves behind does not keep init, though it holds the output", "[kernel][hooks]") {
  CHECK(run_in_world({.script = "sleep 50 & exit 0", .timeout_ms = 30'000}).empty());
  CHECK(run_in_world({.script = "yes & exit 0", .timeout_ms = 30'000}).empty());
}

}  // namespace
}  // namespace capsule::test
