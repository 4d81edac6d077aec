#include "runtime/process/enosys_prefix.h"

#include <cerrno>

#include "tests/process/seccomp_profile.h"

namespace capsule::process {
namespace {

using spec::Seccomp;
using test::compiled;
using test::number_of;
using test::verdict;
using test::verdict_of;

constexpr std::uint32_t kNotImplemented = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;

Seccomp deny_all_but(std::vector<std::string> names, std::vector<std::string> architectures) {
  return {.default_action = "SCMP_ACT_ERRNO",
          .architectures = std::move(architectures),
          .syscalls = {{.names = std::move(names), .action = "SCMP_ACT_ALLOW"}}};
}

TEST_CASE("calls newer than the newest named do not exist, older ones get the default action",
          "[process][enosys]") {
  const std::string filter = compiled(deny_all_but({"read", "statx"}, {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
                                                                       "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}))
                                 .filter;

  for (const std::uint32_t token : {std::uint32_t{SCMP_ARCH_X86_64}, std::uint32_t{SCMP_ARCH_X86},
                                    std::uint32_t{SCMP_ARCH_AARCH64}, std::uint32_t{SCMP_ARCH_ARM}}) {
    INFO(token);
    const std::uint32_t statx = number_of(token, "statx");
    CHECK(verdict_of(filter, token, "read") == SECCOMP_RET_ALLOW);
    CHECK(verdict(filter, token, statx) == SECCOMP_RET_ALLOW);
    CHECK(verdict_of(filter, token, "getpid") == kDenied);
    CHECK(verdict(filter, token, statx - 1) == kDenied);
    CHECK(verdict(filter, token, statx + 1) == kNotImplemented);
    CHECK(verdict_of(filter, token, "clone3") == kNotImplemented);
    CHECK(verdict(filter, token, 9999) == kNotImplemented);
  }
}

TEST_CASE("the newest call counts even if its rule repeats the default", "[process][enosys]") {
  Seccomp seccomp = deny_all_but({"read"}, {"SCMP_ARCH_X86_64"});
  seccomp.syscalls.push_back({.names = {"clone3"}, .action = "SCMP_ACT_ERRNO"});

  CHECK(verdict_of(compiled(seccomp).filter, SCMP_ARCH_X86_64, "clone3") == kDenied);
}

TEST_CASE("x32 numbers are above the bit that marks them, not newer than x86-64", "[process][enosys]") {
  const std::string without = compiled(deny_all_but({"read", "statx"}, {"SCMP_ARCH_X86_64"})).filter;
  CHECK(verdict_of(without, SCMP_ARCH_X32, "read") == SECCOMP_RET_KILL_THREAD);
  CHECK(verdict(without, AUDIT_ARCH_X86_64, 0x3fffffff) == kNotImplemented);

  const std::string with =
      compiled(deny_all_but({"read", "statx"}, {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32"})).filter;
  const std::uint32_t newest = number_of(SCMP_ARCH_X32, "statx");
  CHECK(verdict_of(with, SCMP_ARCH_X32, "read") == SECCOMP_RET_ALLOW);
  CHECK(verdict_of(with, SCMP_ARCH_X32, "getpid") == kDenied);
  CHECK(verdict(with, AUDIT_ARCH_X86_64, newest) == SECCOMP_RET_ALLOW);
  CHECK(verdict(with, AUDIT_ARCH_X86_64, newest + 1) == kNotImplemented);
  CHECK(verdict_of(with, SCMP_ARCH_X32, "ptrace") ==
        kDenied);  // 512 and above are x32's oldest, not its newest
  CHECK(verdict_of(with, SCMP_ARCH_X86_64, "read") == SECCOMP_RET_ALLOW);
  CHECK(verdict_of(with, SCMP_ARCH_X86_64, "clone3") == kNotImplemented);
}

TEST_CASE("Arm's private calls neither count as newest nor are taken for new", "[process][enosys]") {
  const std::string filter = compiled(deny_all_but({"read", "statx", "set_tls"}, {"SCMP_ARCH_ARM"})).filter;

  CHECK(verdict_of(filter, SCMP_ARCH_ARM, "set_tls") == SECCOMP_RET_ALLOW);
  CHECK(verdict_of(filter, SCMP_ARCH_ARM, "cacheflush") == kDenied);
  CHECK(verdict_of(filter, SCMP_ARCH_ARM, "clone3") == kNotImplemented);
}

TEST_CASE("the architecture is looked at before the number", "[process][enosys]") {
  const std::string filter = compiled(deny_all_but({"read", "statx"}, {"SCMP_ARCH_X86_64"})).filter;

  CHECK(verdict(filter, AUDIT_ARCH_RISCV64, 9999) == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE("only profiles that deny by default have the prefix", "[process][enosys]") {
  struct Case {
    const char* action;
    bool prefixed;
  };
  for (const Case& c :
       {Case{"SCMP_ACT_ALLOW", false}, Case{"SCMP_ACT_LOG", false}, Case{"SCMP_ACT_TRACE", false},
        Case{"SCMP_ACT_ERRNO", true}, Case{"SCMP_ACT_KILL", true}, Case{"SCMP_ACT_KILL_PROCESS", true},
        Case{"SCMP_ACT_TRAP", true}}) {
    INFO(c.action);
    Seccomp seccomp = deny_all_but({"read", "statx"}, {"SCMP_ARCH_X86_64"});
    seccomp.default_action = c.action;
    seccomp.syscalls[0].action = "SCMP_ACT_ERRNO";
    seccomp.syscalls[0].errno_ret = 5;
    const std::uint32_t answer = verdict_of(compiled(seccomp).filter, SCMP_ARCH_X86_64, "clone3");
    CHECK((answer == kNotImplemented) == c.prefixed);
  }
}

// What the prefix looks at: the numbers of `names` on those architectures.
SeccompProfile naming(const std::vector<std::string>& names,
                      const std::vector<std::uint32_t>& architectures) {
  SeccompProfile profile;
  profile.architectures = architectures;
  for (const std::uint32_t token : architectures) {
    std::vector<int>& numbers = profile.numbers.emplace_back();
    for (const std::string& name : names)
      numbers.push_back(seccomp_syscall_resolve_name_arch(token, name.c_str()));
  }
  return profile;
}

TEST_CASE("rules that name nothing known need no prefix", "[process][enosys]") {
  CHECK(enosys_prefix(naming({}, {SCMP_ARCH_X86_64})).empty());
  CHECK(enosys_prefix(naming({"no_such_call"}, {SCMP_ARCH_X86_64})).empty());
}

TEST_CASE("many architectures do not outgrow the reach of a conditional jump", "[process][enosys]") {
  const std::vector<std::uint32_t> all = {
      SCMP_ARCH_X86_64, SCMP_ARCH_X86,    SCMP_ARCH_X32,       SCMP_ARCH_ARM,    SCMP_ARCH_AARCH64,
      SCMP_ARCH_MIPS,   SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64,
      SCMP_ARCH_PPC,    SCMP_ARCH_PPC64,  SCMP_ARCH_PPC64LE,   SCMP_ARCH_S390,   SCMP_ARCH_S390X,
      SCMP_ARCH_PARISC, SCMP_ARCH_RISCV64};
  std::string program = enosys_prefix(naming({"read", "statx"}, all));
  const sock_filter end = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  program.append(reinterpret_cast<const char*>(&end), sizeof(end));

  for (const std::uint32_t token : all) {
    INFO(token);
    const std::uint32_t architecture = test::kernel_architecture(token);
    const std::uint32_t newest = number_of(token, "statx");
    CHECK(verdict(program, architecture, newest) == SECCOMP_RET_ALLOW);
    CHECK(verdict(program, architecture, newest + 1) == kNotImplemented);
  }
}

}  // namespace
}  // namespace capsule::process
