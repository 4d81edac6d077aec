#include <linux/seccomp.h>

#include "runtime/process/plan.h"
#include "tests/process/steps.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

using plan::StepKind;
using test::Steps;
using Kinds = std::vector<StepKind>;

spec::Process a_process() {
  spec::Process process;
  process.cwd = "/work";
  process.args = {"sh", "-c", "true"};
  process.env = {"PATH=/bin", "A=1"};
  process.user = {.uid = 1000, .gid = 100};
  return process;
}

const std::optional<spec::Seccomp> kProfile =
    spec::Seccomp{.default_action = "SCMP_ACT_ALLOW",
                  .syscalls = {{.names = {"mkdir", "mkdirat"}, .action = "SCMP_ACT_ERRNO"}}};

const std::optional<spec::Seccomp> kNotifying =
    spec::Seccomp{.default_action = "SCMP_ACT_ALLOW",
                  .listener_path = "/run/agent.sock",
                  .listener_metadata = "a\"b",
                  .syscalls = {{.names = {"mkdirat"}, .action = "SCMP_ACT_NOTIFY"}}};

std::string error_of(const spec::Process& process, const spec::Linux* linux, const ProcessContext& context) {
  plan::Builder builder;
  const Status status = plan_confinement(process, linux, context, builder);
  return status.has_value() ? "" : status.error().message();
}

TEST_CASE("a plain process is confined in the order that leaves each step its rights",
          "[process][confinement]") {
  plan::Builder builder;

  REQUIRE(plan_confinement(a_process(), nullptr, {}, builder).has_value());

  const Steps steps(builder);
  REQUIRE(steps.ok());
  CHECK(steps.kinds() == Kinds{StepKind::stdio, StepKind::change_directory, StepKind::confine,
                               StepKind::change_directory, StepKind::find_executable});
  CHECK(steps.find<plan::Stdio>()->uid == 1000);
}

TEST_CASE("everything asked for comes in the documented order", "[process][confinement]") {
  spec::Process process = a_process();
  process.scheduler = {.policy = "SCHED_BATCH"};
  process.io_priority = {"IOPRIO_CLASS_BE", 4};
  process.no_new_privileges = true;
  spec::Linux linux;
  linux.personality = {"LINUX32", {}};
  linux.memory_policy = {"MPOL_LOCAL", "", {}};
  ProcessContext context;
  context.seccomp = &kProfile;
  plan::Builder builder;

  REQUIRE(plan_confinement(process, &linux, context, builder).has_value());

  CHECK(Steps(builder).kinds() ==
        Kinds{StepKind::stdio, StepKind::personality, StepKind::scheduler, StepKind::io_priority,
              StepKind::memory_policy, StepKind::change_directory, StepKind::confine,
              StepKind::change_directory, StepKind::no_new_privileges, StepKind::find_executable});
}

TEST_CASE("the filter is installed before the capabilities go, or right before the exec with no_new_privs",
          "[process][seccomp]") {
  spec::Process process = a_process();
  ProcessContext context;
  context.seccomp = &kProfile;

  plan::Builder privileged, privileged_exec;
  REQUIRE(plan_confinement(process, nullptr, context, privileged).has_value());
  REQUIRE(plan_exec(process, context, privileged_exec).has_value());
  CHECK(Steps(privileged).kinds() == Kinds{StepKind::stdio, StepKind::seccomp, StepKind::change_directory,
                                           StepKind::confine, StepKind::change_directory,
                                           StepKind::find_executable});
  CHECK(Steps(privileged_exec).kinds() == Kinds{StepKind::exec});

  process.no_new_privileges = true;
  plan::Builder plain, plain_exec;
  REQUIRE(plan_confinement(process, nullptr, context, plain).has_value());
  REQUIRE(plan_exec(process, context, plain_exec).has_value());
  CHECK(Steps(plain).kinds() == Kinds{StepKind::stdio, StepKind::change_directory, StepKind::confine,
                                      StepKind::change_directory, StepKind::no_new_privileges,
                                      StepKind::find_executable});
  CHECK(Steps(plain_exec).kinds() == Kinds{StepKind::seccomp, StepKind::exec});
}

TEST_CASE("a profile that says nothing installs nothing", "[process][seccomp]") {
  const std::optional<spec::Seccomp> empty = spec::Seccomp{};
  const std::optional<spec::Seccomp> absent;
  for (const auto* seccomp : {&empty, &absent}) {
    ProcessContext context;
    context.seccomp = seccomp;
    plan::Builder builder;
    REQUIRE(plan_confinement(a_process(), nullptr, context, builder).has_value());
    CHECK(Steps(builder).find<plan::Seccomp>() == nullptr);
  }
}

TEST_CASE("the user, the groups, the umask and the capability sets become one step", "[process][identity]") {
  spec::Process process = a_process();
  process.user.umask = 027;
  process.user.additional_gids = {5, 4000000000};
  process.capabilities = spec::Capabilities{.bounding = {"CAP_CHOWN", "CAP_KILL"},
                                            .effective = {"CAP_CHOWN"},
                                            .inheritable = {"CAP_CHOWN"},
                                            .permitted = {"CAP_CHOWN"},
                                            .ambient = {"CAP_CHOWN"}};
  plan::Builder builder;

  REQUIRE(plan_confinement(process, nullptr, {}, builder).has_value());

  const Steps steps(builder);
  const auto* confine = steps.find<plan::Confine>();
  REQUIRE(confine != nullptr);
  CHECK(confine->uid == 1000);
  CHECK(confine->gid == 100);
  CHECK(confine->umask == 027);
  CHECK(confine->set_groups == 1);
  CHECK(confine->bounding == 0x21);
  CHECK(confine->effective == 1);
  CHECK(confine->permitted == 1);
  CHECK(confine->inheritable == 1);
  CHECK(confine->ambient == 1);
  const std::uint32_t groups[] = {5, 4000000000};
  CHECK(steps.bytes(confine->groups) == std::string(reinterpret_cast<const char*>(groups), sizeof(groups)));
  CHECK(steps.text(confine->header.field) == "/process/user");
}

TEST_CASE("without a umask it is 022, and without groups none are kept", "[process][identity]") {
  plan::Builder builder;

  REQUIRE(plan_confinement(a_process(), nullptr, {}, builder).has_value());

  const Steps steps(builder);
  const auto* confine = steps.find<plan::Confine>();
  REQUIRE(confine != nullptr);
  CHECK(confine->umask == 022);
  CHECK(confine->groups.size == 0);
  CHECK(confine->set_groups == 1);
}

TEST_CASE("where setgroups is denied the groups are left alone, and asking for some is an error",
          "[process][identity]") {
  ProcessContext context;
  context.may_set_groups = false;
  spec::Process process = a_process();

  plan::Builder builder;
  REQUIRE(plan_confinement(process, nullptr, context, builder).has_value());
  const Steps steps(builder);
  CHECK(steps.find<plan::Confine>()->set_groups == 0);

  process.user.additional_gids = {5};
  CHECK(error_of(process, nullptr, context).find("/process/user/additionalGids: ") == 0);
  context.pointer = "";
  CHECK(error_of(process, nullptr, context).find("/user/additionalGids: ") == 0);
}

TEST_CASE("the working directory is entered as root if possible and as the user in any case",
          "[process][confinement]") {
  plan::Builder builder;

  REQUIRE(plan_confinement(a_process(), nullptr, {}, builder).has_value());

  const Steps steps(builder);
  const auto* first = steps.find<plan::ChangeDirectory>(0);
  const auto* second = steps.find<plan::ChangeDirectory>(1);
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  CHECK(steps.text(first->target) == "/work");
  CHECK(first->may_retry == 1);
  CHECK(steps.text(second->target) == "/work");
  CHECK(second->may_retry == 0);
  CHECK(steps.text(second->header.field) == "/process/cwd");
}

TEST_CASE("the program is looked for in the process's own PATH", "[process][exec]") {
  struct Case {
    std::vector<std::string> env;
    const char* search_path;
  };
  for (const Case& c : {Case{{"PATH=/bin", "A=1"}, "/bin"}, Case{{"PATH=/bin", "PATH=/opt"}, "/opt"},
                        Case{{}, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}) {
    spec::Process process = a_process();
    process.env = c.env;
    plan::Builder builder;
    REQUIRE(plan_confinement(process, nullptr, {}, builder).has_value());
    const Steps steps(builder);
    const auto* find = steps.find<plan::FindExecutable>();
    REQUIRE(find != nullptr);
    CHECK(steps.text(find->name) == "sh");
    CHECK(steps.text(find->search_path) == c.search_path);
    CHECK(steps.text(find->header.field) == "/process/args/0");
  }
}

TEST_CASE("exec gets arguments and environment, and asks for HOME only if it is missing or empty",
          "[process][exec]") {
  struct Case {
    std::vector<std::string> env, expected;
    std::uint32_t needs_home;
  };
  const std::vector<Case> cases = {
      {{"A=1", "HOME=/x"}, {"A=1", "HOME=/x", "LISTEN_FDS=1"}, 0},
      {{"A=1"}, {"A=1", "LISTEN_FDS=1"}, 1},
      {{"HOME=", "A=1"}, {"A=1", "LISTEN_FDS=1"}, 1},
      {{"HOMER=1"}, {"HOMER=1", "LISTEN_FDS=1"}, 1},
  };
  for (const Case& c : cases) {
    spec::Process process = a_process();
    process.env = c.env;
    ProcessContext context;
    context.extra_env = {"LISTEN_FDS=1"};
    plan::Builder builder;
    REQUIRE(plan_exec(process, context, builder).has_value());
    const Steps steps(builder);
    const auto* exec = steps.find<plan::Exec>();
    REQUIRE(exec != nullptr);
    CHECK(steps.list(exec->args) == std::vector<std::string>{"sh", "-c", "true"});
    CHECK(steps.list(exec->env) == c.expected);
    CHECK(exec->needs_home == c.needs_home);
    CHECK(exec->home_uid == 1000);
  }
}

TEST_CASE("a notifying filter donates its listener and a message with both places of the pid",
          "[process][seccomp]") {
  ProcessContext context;
  context.seccomp = &kNotifying;
  context.container_state = "{\"pid\":\x01}";
  plan::Builder builder;

  REQUIRE(plan_confinement(a_process(), nullptr, context, builder).has_value());

  const Steps steps(builder);
  const auto* step = steps.find<plan::Seccomp>();
  REQUIRE(step != nullptr);
  REQUIRE(step->listener_slot < builder.donations().size());
  const plan::Donation& donation = builder.donations()[step->listener_slot];
  CHECK(donation.kind == plan::Donation::Kind::seccomp_listener);
  CHECK(donation.source == "/run/agent.sock");
  CHECK(donation.field == "/linux/seccomp/listenerPath");
  CHECK((step->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0);
  CHECK(steps.text(step->listener_message) ==
        "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":\x01,\"metadata\":\"a\\\"b\","
        "\"state\":{\"pid\":\x01}}");
}

TEST_CASE("a filter without notification has no listener", "[process][seccomp]") {
  ProcessContext context;
  context.seccomp = &kProfile;
  plan::Builder builder;

  REQUIRE(plan_confinement(a_process(), nullptr, context, builder).has_value());

  const Steps steps(builder);
  const auto* step = steps.find<plan::Seccomp>();
  REQUIRE(step != nullptr);
  CHECK(step->listener_slot == plan::kNoSlot);
  CHECK(builder.donations().size() == 2);
  CHECK(step->program.size > 0);
  CHECK(step->program.size % 8 == 0);
}

TEST_CASE("errors carry the pointer under which the process lies", "[process][confinement]") {
  spec::Process process = a_process();
  ProcessContext context;

  process.args.clear();
  CHECK(error_of(process, nullptr, context) == "/process/args: must not be empty");
  context.pointer = "";
  CHECK(error_of(process, nullptr, context) == "/args: must not be empty");

  process = a_process();
  process.scheduler = {.policy = "X"};
  CHECK(error_of(process, nullptr, context).find("/scheduler/policy: ") == 0);
}

}  // namespace
}  // namespace capsule::process
