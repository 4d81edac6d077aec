#include "runtime/base/text.h"
#include "tests/process/seccomp_profile.h"

namespace capsule::process {
namespace {

using spec::Seccomp;
using spec::SyscallArg;
using test::allow_except;
using test::compiled;
using test::refusal;
using test::verdict;
using test::verdict_of;

constexpr std::uint32_t kErrno = SECCOMP_RET_ERRNO;
const std::uint32_t kNative = seccomp_arch_native();

TEST_CASE("each action becomes the kernel's verdict", "[process][seccomp]") {
  struct Case {
    const char* action;
    std::optional<std::uint32_t> errno_ret;
    std::uint32_t verdict;
  };
  const std::vector<Case> cases = {
      {"SCMP_ACT_KILL", {}, SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_THREAD", {}, SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_PROCESS", {}, SECCOMP_RET_KILL_PROCESS},
      {"SCMP_ACT_TRAP", {}, SECCOMP_RET_TRAP},
      {"SCMP_ACT_ERRNO", {}, kErrno | 1},
      {"SCMP_ACT_ERRNO", 38, kErrno | 38},
      {"SCMP_ACT_ERRNO", 0, kErrno},
      {"SCMP_ACT_ERRNO", 4094, kErrno | 4094},
      {"SCMP_ACT_TRACE", {}, SECCOMP_RET_TRACE | 1},
      {"SCMP_ACT_TRACE", 65535, SECCOMP_RET_TRACE | 65535},
      {"SCMP_ACT_LOG", {}, SECCOMP_RET_LOG},
      {"SCMP_ACT_NOTIFY", {}, SECCOMP_RET_USER_NOTIF},
  };
  for (const Case& c : cases) {
    INFO(c.action);
    Seccomp seccomp = allow_except({"uname"}, c.action, c.errno_ret);
    seccomp.listener_path = "/run/agent";
    const SeccompProgram program = compiled(seccomp);
    CHECK(verdict_of(program.filter, kNative, "uname") == c.verdict);
    CHECK(verdict_of(program.filter, kNative, "read") == SECCOMP_RET_ALLOW);
  }
}

TEST_CASE("the default action answers what no rule names", "[process][seccomp]") {
  struct Case {
    const char* action;
    std::optional<std::uint32_t> errno_ret;
    std::uint32_t verdict;
  };
  const std::vector<Case> cases = {
      {"SCMP_ACT_ERRNO", {}, kErrno | 1},
      {"SCMP_ACT_ERRNO", 13, kErrno | 13},
      {"SCMP_ACT_KILL", {}, SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_PROCESS", {}, SECCOMP_RET_KILL_PROCESS},
      {"SCMP_ACT_TRAP", {}, SECCOMP_RET_TRAP},
      {"SCMP_ACT_LOG", {}, SECCOMP_RET_LOG},
      {"SCMP_ACT_TRACE", 7, SECCOMP_RET_TRACE | 7},
  };
  for (const Case& c : cases) {
    INFO(c.action);
    const SeccompProgram program =
        compiled({.default_action = c.action,
                  .default_errno_ret = c.errno_ret,
                  .syscalls = {{.names = {"read", "statx"}, .action = "SCMP_ACT_ALLOW"}}});
    CHECK(verdict_of(program.filter, kNative, "read") == SECCOMP_RET_ALLOW);
    CHECK(verdict_of(program.filter, kNative, "getpid") == c.verdict);
  }
}

TEST_CASE("each operator compares all 64 bits of its argument", "[process][seccomp]") {
  struct Case {
    SyscallArg arg;
    std::vector<std::uint64_t> matching, other;
  };
  const std::uint64_t big = 0x100000005;
  const std::vector<Case> cases = {
      {{.value = 5, .op = "SCMP_CMP_EQ"}, {5}, {4, 6, big}},
      {{.value = 5, .op = "SCMP_CMP_NE"}, {4, 6, big}, {5}},
      {{.value = 5, .op = "SCMP_CMP_LT"}, {0, 4}, {5, 6, big}},
      {{.value = 5, .op = "SCMP_CMP_LE"}, {4, 5}, {6, big}},
      {{.value = 5, .op = "SCMP_CMP_GE"}, {5, 6, big}, {4}},
      {{.value = 5, .op = "SCMP_CMP_GT"}, {6, big}, {4, 5}},
      {{.value = big, .op = "SCMP_CMP_EQ"}, {big}, {5, 0x200000005}},
      {{.value = 0xff00000000f0, .value_two = 0x120000000010, .op = "SCMP_CMP_MASKED_EQ"},
       {0x120000000010, 0x12ffffffff1f},
       {0x10, 0x130000000010, 0x120000000020}},
  };
  for (const Case& c : cases) {
    INFO(c.arg.op << " " << c.arg.value);
    SyscallArg arg = c.arg;
    arg.index = 2;
    Seccomp seccomp = allow_except({"write"}, "SCMP_ACT_ERRNO");
    seccomp.syscalls[0].args = {arg};
    const SeccompProgram program = compiled(seccomp);
    for (const std::uint64_t value : c.matching) {
      CHECK(verdict_of(program.filter, kNative, "write", {99, 99, value}) == (kErrno | 1));
    }
    for (const std::uint64_t value : c.other) {
      CHECK(verdict_of(program.filter, kNative, "write", {99, 99, value}) == SECCOMP_RET_ALLOW);
    }
  }
}

TEST_CASE("comparisons of different arguments must all hold, of the same argument any",
          "[process][seccomp]") {
  Seccomp both = allow_except({"write"}, "SCMP_ACT_ERRNO");
  both.syscalls[0].args = {{.index = 0, .value = 1, .op = "SCMP_CMP_EQ"},
                           {.index = 2, .value = 10, .op = "SCMP_CMP_GT"}};
  const std::string all = compiled(both).filter;
  CHECK(verdict_of(all, kNative, "write", {1, 0, 11}) == (kErrno | 1));
  CHECK(verdict_of(all, kNative, "write", {1, 0, 10}) == SECCOMP_RET_ALLOW);
  CHECK(verdict_of(all, kNative, "write", {2, 0, 11}) == SECCOMP_RET_ALLOW);

  Seccomp either = allow_except({"write"}, "SCMP_ACT_ERRNO");
  either.syscalls[0].args = {{.index = 0, .value = 1, .op = "SCMP_CMP_EQ"},
                             {.index = 0, .value = 2, .op = "SCMP_CMP_EQ"}};
  const std::string any = compiled(either).filter;
  CHECK(verdict_of(any, kNative, "write", {1}) == (kErrno | 1));
  CHECK(verdict_of(any, kNative, "write", {2}) == (kErrno | 1));
  CHECK(verdict_of(any, kNative, "write", {3}) == SECCOMP_RET_ALLOW);
}

TEST_CASE("several rules for one call are alternatives", "[process][seccomp]") {
  Seccomp seccomp = allow_except({"socket"}, "SCMP_ACT_ERRNO", 97);
  seccomp.syscalls[0].args = {{.index = 0, .value = 16, .op = "SCMP_CMP_EQ"},
                              {.index = 2, .value = 9, .op = "SCMP_CMP_EQ"}};
  seccomp.syscalls.push_back({.names = {"socket"},
                              .action = "SCMP_ACT_ERRNO",
                              .errno_ret = 22,
                              .args = {{.index = 0, .value = 40, .op = "SCMP_CMP_EQ"}}});
  const std::string filter = compiled(seccomp).filter;

  CHECK(verdict_of(filter, kNative, "socket", {16, 3, 9}) == (kErrno | 97));
  CHECK(verdict_of(filter, kNative, "socket", {40, 1, 0}) == (kErrno | 22));
  CHECK(verdict_of(filter, kNative, "socket", {16, 3, 0}) == SECCOMP_RET_ALLOW);
}

TEST_CASE("names that this library or this machine lacks are skipped", "[process][seccomp]") {
  const std::string filter =
      compiled(allow_except({"no_such_call", "s390_pci_mmio_read", "uname"}, "SCMP_ACT_ERRNO")).filter;

  CHECK(verdict_of(filter, kNative, "uname") == (kErrno | 1));
  CHECK(verdict_of(filter, kNative, "read") == SECCOMP_RET_ALLOW);
}

TEST_CASE("a rule that repeats the default action changes nothing", "[process][seccomp]") {
  Seccomp seccomp = allow_except({"uname"}, "SCMP_ACT_ALLOW");
  seccomp.syscalls.push_back({.names = {"getpid"}, .action = "SCMP_ACT_LOG"});
  const std::string filter = compiled(seccomp).filter;

  CHECK(verdict_of(filter, kNative, "uname") == SECCOMP_RET_ALLOW);
  CHECK(verdict_of(filter, kNative, "getpid") == SECCOMP_RET_LOG);

  const std::string errors =
      compiled({.default_action = "SCMP_ACT_ERRNO",
                .default_errno_ret = 1,
                .syscalls = {{.names = {"read", "uname"}, .action = "SCMP_ACT_ERRNO"},
                             {.names = {"getpid"}, .action = "SCMP_ACT_ERRNO", .errno_ret = 2},
                             {.names = {"statx"}, .action = "SCMP_ACT_ALLOW"}}})
          .filter;
  CHECK(verdict_of(errors, kNative, "read") == (kErrno | 1));
  CHECK(verdict_of(errors, kNative, "getpid") == (kErrno | 2));
}

TEST_CASE("long profiles become a tree that still gives every call its own answer", "[process][seccomp]") {
  const std::vector<std::string> names = {
      "read",      "write",        "close",   "fstat",    "lseek",       "mmap",     "mprotect",  "munmap",
      "brk",       "ioctl",        "pread64", "pwrite64", "readv",       "writev",   "madvise",   "dup",
      "nanosleep", "getpid",       "socket",  "connect",  "sendto",      "recvfrom", "bind",      "listen",
      "clone",     "execve",       "exit",    "wait4",    "kill",        "uname",    "fcntl",     "flock",
      "fsync",     "getcwd",       "chdir",   "umask",    "getuid",      "setuid",   "geteuid",   "setsid",
      "getrandom", "memfd_create", "statx",   "clone3",   "close_range", "openat2",  "faccessat2"};
  Seccomp seccomp{.default_action = "SCMP_ACT_KILL_PROCESS",
                  .architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto errno_ret = static_cast<std::uint32_t>(i + 100);
    seccomp.syscalls.push_back({.names = {names[i]}, .action = "SCMP_ACT_ERRNO", .errno_ret = errno_ret});
  }
  seccomp.syscalls.push_back({.names = {"prctl"},
                              .action = "SCMP_ACT_ALLOW",
                              .args = {{.index = 0, .value = 4, .op = "SCMP_CMP_LT"}}});

  const std::string filter = compiled(seccomp).filter;

  for (const std::uint32_t token :
       {std::uint32_t{SCMP_ARCH_X86_64}, std::uint32_t{SCMP_ARCH_X32}, std::uint32_t{SCMP_ARCH_AARCH64}}) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      INFO(names[i] << " on " << token);
      CHECK(verdict_of(filter, token, names[i].c_str()) == (kErrno | static_cast<std::uint32_t>(i + 100)));
    }
    CHECK(verdict_of(filter, token, "prctl", {3}) == SECCOMP_RET_ALLOW);
    CHECK(verdict_of(filter, token, "prctl", {4}) == SECCOMP_RET_KILL_PROCESS);
    CHECK(verdict_of(filter, token, "ptrace") == SECCOMP_RET_KILL_PROCESS);
  }
}

TEST_CASE("calls of an architecture that is not listed are killed", "[process][seccomp]") {
  Seccomp seccomp = allow_except({"uname"}, "SCMP_ACT_ERRNO");
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"};
  const std::string filter = compiled(seccomp).filter;

  CHECK(verdict_of(filter, SCMP_ARCH_X86_64, "uname") == (kErrno | 1));
  CHECK(verdict_of(filter, SCMP_ARCH_AARCH64, "uname") == (kErrno | 1));
  CHECK(verdict_of(filter, SCMP_ARCH_RISCV64, "read") == SECCOMP_RET_KILL_THREAD);
  CHECK(verdict_of(filter, SCMP_ARCH_X32, "read") == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE("the machine's own architecture is in the filter even if it is not listed", "[process][seccomp]") {
  Seccomp seccomp = allow_except({"uname"}, "SCMP_ACT_ERRNO");
  seccomp.architectures = {"SCMP_ARCH_RISCV64"};

  CHECK(verdict_of(compiled(seccomp).filter, kNative, "uname") == (kErrno | 1));
}

TEST_CASE("flags are the kernel's bits, absent is not the same as none", "[process][seccomp]") {
  using Flags = std::optional<std::vector<std::string>>;
  struct Case {
    Flags flags;
    const char* action;
    std::uint64_t bits;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{}, "SCMP_ACT_ERRNO", 4, "absent asks for SPEC_ALLOW"},
      {Flags{std::vector<std::string>{}}, "SCMP_ACT_ERRNO", 0, "an empty list asks for nothing"},
      {Flags{{"SECCOMP_FILTER_FLAG_LOG"}}, "SCMP_ACT_ERRNO", 2, "a list replaces the default"},
      {Flags{{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG"}}, "SCMP_ACT_ERRNO", 6,
       "flags add up"},
      {Flags{{"SECCOMP_FILTER_FLAG_TSYNC"}}, "SCMP_ACT_ERRNO", 0, "there is only one thread"},
      {{}, "SCMP_ACT_NOTIFY", 12, "notification needs a listener"},
      {Flags{{"SECCOMP_FILTER_FLAG_TSYNC"}}, "SCMP_ACT_NOTIFY", 8, "TSYNC and a listener exclude each other"},
      {Flags{{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}}, "SCMP_ACT_NOTIFY", 40, "who waits may be killed"},
      {Flags{{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}}, "SCMP_ACT_ERRNO", 0, "nobody waits"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    Seccomp seccomp = allow_except({"uname"}, c.action);
    seccomp.flags = c.flags;
    seccomp.listener_path = "/run/agent";
    const SeccompProgram program = compiled(seccomp);
    CHECK(program.flags == c.bits);
    CHECK(program.notifies == ((c.bits & 8U) != 0));
  }
}

TEST_CASE("a profile without default action and rules is no profile", "[process][seccomp]") {
  const SeccompProgram program = compiled({});

  CHECK(program.filter.empty());
  CHECK(program.flags == 0);
}

TEST_CASE("the features document lists only names that a profile may use", "[process][seccomp]") {
  const SeccompNames names = known_seccomp_names();

  CHECK(names.actions.size() == 9);
  CHECK(names.operators.size() == 7);
  CHECK(names.known_flags.size() == 4);
  CHECK(names.archs.size() >= 19);
  for (const std::string& arch : names.archs) {
    INFO(arch);
    Seccomp seccomp = allow_except({"read"}, "SCMP_ACT_ERRNO");
    seccomp.architectures = {arch};
    const std::string message = refusal(seccomp);
    CHECK((message.empty() || message.find("byte order") != std::string::npos));
  }
  for (const std::string& flag : names.known_flags) {
    Seccomp seccomp = allow_except({"read"}, "SCMP_ACT_ERRNO");
    seccomp.flags = {flag};
    CHECK(refusal(seccomp).empty());
  }
  CHECK(split(names.library_version, '.').size() == 3);
}

TEST_CASE("a program is kept with its flags, and what was not kept so is refused", "[process][seccomp]") {
  const SeccompProgram program = compiled({.default_action = "SCMP_ACT_ALLOW",
                                           .listener_path = "/run/agent.sock",
                                           .syscalls = {{.names = {"mkdir"}, .action = "SCMP_ACT_NOTIFY"}}});

  const std::string encoded = encode_program(program.flags, program.filter);
  const std::optional<SeccompProgram> kept = decode_program(encoded);

  REQUIRE(kept.has_value());
  CHECK(kept->filter == program.filter);
  CHECK(kept->flags == program.flags);
  CHECK(kept->notifies);
  for (const std::string& broken : {std::string(), encoded.substr(0, 8),
                                    encoded.substr(0, encoded.size() - 1), std::string(8 + 4097 * 8, 'x')}) {
    CHECK_FALSE(decode_program(broken).has_value());
  }
}

TEST_CASE("flags that the kernel takes are some of those that a profile may use", "[process][seccomp]") {
  const std::vector<std::string> known = known_seccomp_names().known_flags;
  const std::vector<std::string> taken = probe_seccomp_flags();

  CHECK(std::includes(known.begin(), known.end(), taken.begin(), taken.end(),
                      [&](const std::string& a, const std::string& b) {
                        return std::find(known.begin(), known.end(), a) <
                               std::find(known.begin(), known.end(), b);
                      }));
}

}  // namespace
}  // namespace capsule::process
