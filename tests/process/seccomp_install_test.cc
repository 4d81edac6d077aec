// The one question that no interpreter answers: does the kernel take the program?
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/process/seccomp_profile.h"

namespace capsule::process {
namespace {

enum : int { kAsExpected = 0, kNotInstalled = 1, kNotDenied = 2, kNotMissing = 3 };

// _exit would do, were it not for sanitizers: they make calls of their own before a function that does not
// return.
void leave(int code) {
  (void)::syscall(SYS_exit_group, code);
}

// In a child, which leaves with one of the above. Only raw calls that the profile allows once it is in force.
void try_filter(const SeccompProgram& program) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.filter.size() / sizeof(sock_filter));
  filter.filter = const_cast<sock_filter*>(reinterpret_cast<const sock_filter*>(program.filter.data()));
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);  // if it fails, so does the next call
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &filter) != 0) leave(kNotInstalled);
  if (::syscall(SYS_getppid) != -1 || errno != EACCES) leave(kNotDenied);
  if (::syscall(9999) != -1 || errno != ENOSYS) leave(kNotMissing);
  leave(kAsExpected);
}

TEST_CASE("the kernel installs the program and answers as the profile says", "[process][seccomp]") {
  if (::prctl(PR_GET_SECCOMP, 0UL, 0UL, 0UL, 0UL) < 0) {
    WARN("skipped: this kernel has no seccomp");
    return;
  }
  const SeccompProgram program =
      test::compiled({.default_action = "SCMP_ACT_ERRNO",
                      .default_errno_ret = EACCES,
                      .architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
                                        "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"},
                      .syscalls = {{.names = {"exit_group", "exit", "statx", "futex", "munmap",
                                              "rt_sigprocmask", "no_such_call"},
                                    .action = "SCMP_ACT_ALLOW"}}});

  const pid_t child = ::fork();
  if (child == 0) try_filter(program);
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);

  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == kAsExpected);
}

}  // namespace
}  // namespace capsule::process
