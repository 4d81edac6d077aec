// linux.seccomp.
#include "tests/spec/linux_checks.h"

using namespace capsule::spec;

namespace {

Seccomp& seccomp(Linux& linux_part) {
  linux_part.seccomp = Seccomp{};
  linux_part.seccomp->default_action = "SCMP_ACT_ALLOW";
  linux_part.seccomp->syscalls = {{{"mkdir"}, "SCMP_ACT_ERRNO", std::nullopt, {}}};
  return *linux_part.seccomp;
}

}  // namespace

TEST_CASE("broken rules about seccomp are named", "[spec][validate][seccomp]") {
  check_all({
      {[](Linux& l) { seccomp(l).default_action.clear(); }, "/linux/seccomp/defaultAction: is required",
       "and then?"},
      {[](Linux& l) { seccomp(l).default_action = "ALLOW"; },
       "/linux/seccomp/defaultAction: unknown seccomp action \"ALLOW\"", "R17: an error, not a skip"},
      {[](Linux& l) { seccomp(l).default_errno_ret = 1; },
       "/linux/seccomp/defaultErrnoRet: has a meaning only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not with "
       "SCMP_ACT_ALLOW",
       "config-linux.md says MUST"},
      {[](Linux& l) {
         seccomp(l).architectures = {"SCMP_ARCH_X86", "x86_64"};
       },
       "/linux/seccomp/architectures/1: unknown seccomp architecture \"x86_64\"", "R17"},
      {[](Linux& l) { seccomp(l).flags = {{"SECCOMP_FILTER_FLAG_NEW_LISTENER"}}; },
       "/linux/seccomp/flags/0: unknown seccomp flag \"SECCOMP_FILTER_FLAG_NEW_LISTENER\"", "ours to decide"},
      {[](Linux& l) { seccomp(l).syscalls[0].names.clear(); },
       "/linux/seccomp/syscalls/0/names: must name at least one system call", "config-linux.md says MUST"},
      {[](Linux& l) { seccomp(l).syscalls[0].action = "SCMP_ACT_NONE"; },
       "/linux/seccomp/syscalls/0/action: unknown seccomp action \"SCMP_ACT_NONE\"", "R17"},
      {[](Linux& l) {
         seccomp(l).syscalls[0] = {{"mkdir"}, "SCMP_ACT_KILL", 1, {}};
       },
       "/linux/seccomp/syscalls/0/errnoRet: has a meaning only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not "
       "with SCMP_ACT_KILL",
       "config-linux.md says MUST"},
      {[](Linux& l) {
         seccomp(l).syscalls[0].args = {{0, 1, 0, "SCMP_CMP_EQ"}, {6, 1, 0, "SCMP_CMP_EQ"}};
       },
       "/linux/seccomp/syscalls/0/args/1/index: must be between 0 and 5", "a system call has six"},
      {[](Linux& l) {
         seccomp(l).syscalls[0].args = {{0, 1, 0, "=="}};
       },
       "/linux/seccomp/syscalls/0/args/0/op: unknown seccomp operator \"==\"", "R17"},
      {[](Linux& l) { seccomp(l).syscalls[0].action = "SCMP_ACT_NOTIFY"; },
       "/linux/seccomp/listenerPath: is required, because SCMP_ACT_NOTIFY is used", "nobody would answer"},
      {[](Linux& l) { seccomp(l).listener_metadata = "x"; },
       "/linux/seccomp/listenerMetadata: must not be set without listenerPath", "config-linux.md says MUST"},
  });
}

TEST_CASE("errno values go with the actions that return one", "[spec][validate][seccomp]") {
  CHECK(message_with([](Linux& l) {
          seccomp(l).default_action = "SCMP_ACT_ERRNO";
          l.seccomp->default_errno_ret = 38;
          l.seccomp->syscalls[0] = {{"mkdir"}, "SCMP_ACT_TRACE", 1, {{5, 1, 0, "SCMP_CMP_MASKED_EQ"}}};
          l.seccomp->flags = {{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}};
          l.seccomp->architectures = {"SCMP_ARCH_LOONGARCH64"};
        }).empty());
}
