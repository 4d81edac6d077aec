#include "runtime/base/user_namespace.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/catch.h"

namespace capsule {
namespace {

// What a child answers that made a user namespace first; 2 where that is not allowed.
int answer_inside() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) != 0 ? 2 : is_in_user_namespace() ? 1 : 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_CASE("a process knows that it is in a user namespace of somebody's making") {
  const int answer = answer_inside();

  if (answer == 2) return;  // user namespaces cannot be made here
  CHECK(answer == 1);
}

TEST_CASE("a process in the machine's first user namespace knows that, too") {
  const bool is_first = std::filesystem::read_symlink("/proc/self/ns/user") == "user:[4026531837]";

  CHECK(is_in_user_namespace() == !is_first);
}

}  // namespace
}  // namespace capsule
