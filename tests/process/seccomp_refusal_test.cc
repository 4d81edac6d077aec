#include "runtime/base/text.h"
#include "tests/process/seccomp_profile.h"

namespace capsule::process {
namespace {

using spec::Seccomp;
using test::allow_except;
using test::refusal;

TEST_CASE("a profile with a name that means nothing is refused with its pointer", "[process][seccomp]") {
  struct Case {
    Seccomp seccomp;
    const char* message;
  };
  Seccomp bad_default{.default_action = "SCMP_ACT_MAYBE"};
  Seccomp no_default{.default_action = "", .syscalls = {{.names = {"read"}, .action = "SCMP_ACT_ALLOW"}}};
  Seccomp default_errno{.default_action = "SCMP_ACT_ALLOW", .default_errno_ret = 1};
  Seccomp big_errno{.default_action = "SCMP_ACT_ERRNO", .default_errno_ret = 4095};
  Seccomp bad_action = allow_except({"read"}, "SCMP_ACT_ERRNO");
  bad_action.syscalls.push_back({.names = {"write"}, .action = "scmp_act_errno"});
  Seccomp bad_operator = allow_except({"read"}, "SCMP_ACT_ERRNO");
  bad_operator.syscalls[0].args = {{.index = 0, .value = 1, .op = "SCMP_CMP_EQ"}, {.index = 1, .op = "EQ"}};
  Seccomp bad_index = allow_except({"read"}, "SCMP_ACT_ERRNO");
  bad_index.syscalls[0].args = {{.index = 6, .op = "SCMP_CMP_EQ"}};
  Seccomp bad_architecture = allow_except({"read"}, "SCMP_ACT_ERRNO");
  bad_architecture.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_PDP11"};
  Seccomp lower_architecture = allow_except({"read"}, "SCMP_ACT_ERRNO");
  lower_architecture.architectures = {"x86_64"};
  Seccomp other_byte_order = allow_except({"read"}, "SCMP_ACT_ERRNO");
  other_byte_order.architectures = {"SCMP_ARCH_MIPS", "SCMP_ARCH_MIPSEL"};
  Seccomp bad_flag = allow_except({"read"}, "SCMP_ACT_ERRNO");
  bad_flag.flags = {"SECCOMP_FILTER_FLAG_NEW_LISTENER"};
  Seccomp contradiction = allow_except({"read"}, "SCMP_ACT_ERRNO");
  contradiction.syscalls[0].args = {{.index = 0, .value = 1, .op = "SCMP_CMP_EQ"}};
  contradiction.syscalls.push_back(contradiction.syscalls[0]);
  contradiction.syscalls[1].action = "SCMP_ACT_LOG";

  const std::vector<Case> cases = {
      {bad_default, "/linux/seccomp/defaultAction: unknown seccomp action \"SCMP_ACT_MAYBE\""},
      {no_default, "/linux/seccomp/defaultAction: unknown seccomp action \"\""},
      {default_errno, "/linux/seccomp/defaultErrnoRet: SCMP_ACT_ALLOW takes no errno value"},
      {big_errno, "/linux/seccomp/defaultErrnoRet: SCMP_ACT_ERRNO takes values up to 4094"},
      {bad_action, "/linux/seccomp/syscalls/1/action: unknown seccomp action \"scmp_act_errno\""},
      {allow_except({"read"}, "SCMP_ACT_LOG", 1),
       "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_LOG takes no errno value"},
      {allow_except({"read"}, "SCMP_ACT_TRACE", 65536),
       "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_TRACE takes values up to 65535"},
      {bad_operator, "/linux/seccomp/syscalls/0/args/1/op: unknown seccomp operator \"EQ\""},
      {bad_index, "/linux/seccomp/syscalls/0/args/0/index: system calls have six arguments, 0 to 5"},
      {bad_architecture, "/linux/seccomp/architectures/1: unknown seccomp architecture \"SCMP_ARCH_PDP11\""},
      {lower_architecture, "/linux/seccomp/architectures/0: unknown seccomp architecture \"x86_64\""},
      {other_byte_order, "/linux/seccomp/architectures: lists one whose byte order is not this machine's"},
      {bad_flag, "/linux/seccomp/flags/0: unknown seccomp flag \"SECCOMP_FILTER_FLAG_NEW_LISTENER\""},
      {contradiction, "/linux/seccomp/syscalls/1: contradicts an earlier rule for read"},
  };
  for (const Case& c : cases) {
    CHECK(refusal(c.seccomp) == c.message);
  }
}

TEST_CASE("notification is refused where nobody could answer", "[process][seccomp]") {
  Seccomp by_default{.default_action = "SCMP_ACT_NOTIFY", .listener_path = "/run/agent"};
  CHECK(refusal(by_default) == "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be the default action");

  for (const char* name : {"write", "sendmsg"}) {
    Seccomp needed = allow_except({"mkdirat", name}, "SCMP_ACT_NOTIFY");
    needed.listener_path = "/run/agent";
    CHECK(refusal(needed) ==
          cat({"/linux/seccomp/syscalls/0/names: SCMP_ACT_NOTIFY cannot be used for ", name}));
  }

  Seccomp no_listener = allow_except({"mkdirat"}, "SCMP_ACT_NOTIFY");
  CHECK(refusal(no_listener) == "/linux/seccomp/listenerPath: is required by rules with SCMP_ACT_NOTIFY");
  no_listener.listener_path = "";
  CHECK(refusal(no_listener) == "/linux/seccomp/listenerPath: is required by rules with SCMP_ACT_NOTIFY");

  Seccomp only_metadata = allow_except({"mkdirat"}, "SCMP_ACT_ERRNO");
  only_metadata.listener_metadata = "x";
  CHECK(refusal(only_metadata) == "/linux/seccomp/listenerMetadata: means nothing without listenerPath");
}

TEST_CASE("a profile that outgrows the kernel's limit is refused with both numbers", "[process][seccomp]") {
  Seccomp seccomp{.default_action = "SCMP_ACT_ALLOW"};
  for (std::uint64_t i = 0; i < 1500; ++i) {
    seccomp.syscalls.push_back({.names = {"write"},
                                .action = "SCMP_ACT_ERRNO",
                                .args = {{.index = 0, .value = i << 32U, .op = "SCMP_CMP_EQ"}}});
  }

  const std::string message = refusal(seccomp);

  CHECK(message.find("/linux/seccomp: the profile becomes ") == 0);
  CHECK(message.find("more than the 4096") != std::string::npos);
}

}  // namespace
}  // namespace capsule::process
