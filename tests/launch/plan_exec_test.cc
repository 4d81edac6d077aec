#include "runtime/launch/plan_exec.h"

#include <algorithm>
#include <cerrno>

#include "tests/launch/support.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using test::line_of;
using test::lines_of;

spec::Spec frozen_spec() {
  spec::Spec spec = test::ordinary_bundle().spec;
  spec.process->user = {.uid = 5, .gid = 6, .additional_gids = {7}};
  spec.process->capabilities = spec::Capabilities{.bounding = {"CAP_KILL"}, .permitted = {"CAP_KILL"}};
  spec.process->terminal = true;
  return spec;
}

ExecOptions asking_for(std::vector<std::string> args) {
  ExecOptions options;
  options.id = "c1";
  options.args = std::move(args);
  return options;
}

spec::Process process_of(const ExecOptions& options, const std::optional<std::string>& file = std::nullopt) {
  Result<spec::Process> process = plan_exec_process(frozen_spec(), options, file);
  INFO((process.has_value() ? std::string() : process.error().message()));
  REQUIRE(process.has_value());
  return std::move(process).value();
}

std::string error_of(const spec::Spec& spec,
                     const ExecOptions& options,
                     const std::optional<std::string>& file = std::nullopt) {
  const Result<spec::Process> process = plan_exec_process(spec, options, file);
  return process.has_value() ? std::string() : process.error().message();
}

spec::ContainerState running_state() {
  spec::ContainerState state;
  state.id = "c1";
  state.pid = 4242;
  state.status = "running";
  return state;
}

Result<ExecPlan> plan_of(const spec::Spec& frozen,
                         const spec::Process& process,
                         const ExecOptions& options,
                         const Host& host = test::ordinary_host(),
                         const std::optional<process::SeccompProgram>& kept = std::nullopt) {
  return plan_exec(frozen, process, options, running_state(), host, true, kept);
}

TEST_CASE("without a process file the container's own process is the base", "[launch][exec]") {
  const spec::Process process = process_of(asking_for({"ls", "-l"}));
  CHECK(process.args == std::vector<std::string>{"ls", "-l"});
  CHECK(process.cwd == "/");
  CHECK(process.env == std::vector<std::string>{"PATH=/bin"});
  CHECK(process.user.uid == 5);
  CHECK(process.user.gid == 6);
}

TEST_CASE("a terminal is a matter of this exec, not of the container's own", "[launch][exec]") {
  CHECK_FALSE(process_of(asking_for({"ls"})).terminal);
  ExecOptions options = asking_for({"ls"});
  options.tty = true;
  CHECK(process_of(options).terminal);
}

TEST_CASE("each option changes its member and no other", "[launch][exec]") {
  ExecOptions options = asking_for({"ls"});
  options.cwd = "/tmp";
  options.env = {"A=1"};
  options.uid = 1000;
  options.additional_gids = {20};
  options.no_new_privs = true;
  const spec::Process process = process_of(options);
  CHECK(process.cwd == "/tmp");
  CHECK(process.env == std::vector<std::string>{"PATH=/bin", "A=1"});
  CHECK(process.user.uid == 1000);
  CHECK(process.user.gid == 6);
  CHECK(process.user.additional_gids == std::vector<std::uint32_t>{7, 20});
  CHECK(process.no_new_privileges);

  options.gid = 100;
  CHECK(process_of(options).user.gid == 100);
}

TEST_CASE("capabilities asked for are never inheritable", "[launch][exec][capabilities]") {
  ExecOptions options = asking_for({"ls"});
  options.capabilities = {"CAP_NET_RAW"};
  const spec::Capabilities sets = process_of(options).capabilities.value();
  CHECK(sets.bounding == std::vector<std::string>{"CAP_KILL", "CAP_NET_RAW"});
  CHECK(sets.permitted == std::vector<std::string>{"CAP_KILL", "CAP_NET_RAW"});
  CHECK(sets.effective == std::vector<std::string>{"CAP_NET_RAW"});
  CHECK(sets.inheritable.empty());
  CHECK(sets.ambient.empty());
}

TEST_CASE("a process file is the whole process, except for --tty", "[launch][exec]") {
  const std::string file = R"({"cwd":"/srv","args":["id"],"user":{"uid":9,"gid":9}})";
  ExecOptions options = asking_for({});
  options.tty = true;
  const spec::Process process = process_of(options, file);
  CHECK(process.args == std::vector<std::string>{"id"});
  CHECK(process.cwd == "/srv");
  CHECK(process.user.uid == 9);
  CHECK_FALSE(process.capabilities.has_value());
  CHECK(process.env.empty());
  CHECK(process.terminal);
}

TEST_CASE("what cannot be run is refused in runc's words", "[launch][exec]") {
  struct Case {
    ExecOptions options;
    std::optional<std::string> file;
    const char* part;
    const char* because;
  };
  spec::Spec bare = frozen_spec();
  bare.process.reset();
  CHECK(error_of(bare, asking_for({"ls"})) == "/process: process property must not be empty");

  ExecOptions relative = asking_for({"ls"});
  relative.cwd = "tmp";
  const ExecOptions none = asking_for({});
  for (const Case& c : {
           Case{none, std::nullopt, "args", "no program"},
           Case{relative, std::nullopt, "/cwd: ", "a directory relative to nothing"},
           Case{none, "{", "process file: ", "not JSON"},
           Case{none, R"({"cwd":"x","args":["id"]})",
                "process file: /cwd: ", "pointers begin at the file's top"},
           Case{none, R"({"cwd":"/","args":"id"})", "process file: /args: ", "a wrong type"},
       }) {
    INFO(c.because << ": " << error_of(frozen_spec(), c.options, c.file));
    CHECK(error_of(frozen_spec(), c.options, c.file).find(c.part) != std::string::npos);
  }
}

TEST_CASE("exec joins what the container lists, all at once, and pid from outside", "[launch][exec]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->namespaces = {{.type = spec::NamespaceType::pid},
                              {.type = spec::NamespaceType::mount},
                              {.type = spec::NamespaceType::user},
                              {.type = spec::NamespaceType::network, .path = "/proc/1/ns/net"}};
  const ExecOptions options = asking_for({"ls"});
  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options);
  REQUIRE(plan.has_value());
  CHECK(plan.value().joins.pid_from_outside);
  CHECK(line_of(plan.value().builder, "join_namespace") ==
        "join_namespace source=\"of the container\" flags=user|network|mount slot=2");
  CHECK(lines_of(plan.value().builder)[1] == "become_root");
  CHECK(line_of(plan.value().builder, "enter_root").empty());
}

TEST_CASE("an ordinary user joins the pid namespace from inside the user namespace, and forks there",
          "[launch][exec]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->namespaces = {{.type = spec::NamespaceType::pid}, {.type = spec::NamespaceType::user}};
  const ExecOptions options = asking_for({"ls"});
  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options, test::unprivileged_host());
  REQUIRE(plan.has_value());
  CHECK_FALSE(plan.value().joins.pid_from_outside);
  CHECK(plan.value().joins.forks);
  const std::vector<std::string> lines = lines_of(plan.value().builder);
  CHECK(lines[0] == "join_namespace source=\"of the container\" flags=user|pid slot=2");
  CHECK(lines[1] == "become_root");
  CHECK(lines[2].starts_with("fork_init"));
}

TEST_CASE("exec sets groups unless the container's user namespace denies it", "[launch][exec]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->namespaces = {{.type = spec::NamespaceType::user}};
  const ExecOptions options = asking_for({"ls"});
  spec::Process process = process_of(options);
  process.user.additional_gids.clear();
  for (const bool denied : {false, true}) {
    Host host = test::unprivileged_host();
    host.setgroups_denied = denied;
    const Result<ExecPlan> plan = plan_of(frozen, process, options, host);
    REQUIRE(plan.has_value());
    CHECK((line_of(plan.value().builder, "confine").find("set_groups=0") != std::string::npos) == denied);
  }
}

TEST_CASE("exec as an id that the container's maps do not have is refused", "[launch][exec]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->namespaces = {{.type = spec::NamespaceType::user}};
  frozen.linux->uid_mappings =
      frozen.linux->gid_mappings = {{.container_id = 0, .host_id = 1000, .size = 10}};
  ExecOptions options = asking_for({"ls"});
  options.uid = 10;
  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().message() == "/process/user/uid: cannot setuid to unmapped uid 10");
}

TEST_CASE("a container in the host's namespaces is entered by its root", "[launch][exec]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->namespaces.clear();
  const ExecOptions options = asking_for({"ls"});
  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options);
  REQUIRE(plan.has_value());
  CHECK_FALSE(plan.value().joins.pid_from_outside);
  CHECK(line_of(plan.value().builder, "join_namespace").empty());
  CHECK(line_of(plan.value().builder, "enter_root") == "enter_root slot=3");
  CHECK(plan.value().builder.donations()[3].source == "/proc/4242/root");
}

TEST_CASE("an exec'd process goes through the same confinement and gate as the first", "[launch][exec]") {
  const ExecOptions options = asking_for({"ls"});
  const Result<ExecPlan> plan = plan_of(frozen_spec(), process_of(options), options);
  REQUIRE(plan.has_value());
  const std::vector<std::string> lines = lines_of(plan.value().builder);
  const auto position = [&](std::string_view begin) {
    return std::find_if(lines.begin(), lines.end(),
                        [&](const std::string& line) { return line.starts_with(begin); });
  };
  CHECK(position("session_keyring name=_ses.c1") < position("confine"));
  CHECK(position("confine") < position("find_executable"));
  CHECK(position("find_executable") < position("expect line=start"));
  CHECK(position("expect line=start") < position("exec args=[ls]"));
  CHECK(position("exec args=[ls]") == lines.end() - 1);
}

TEST_CASE("init waits for the launcher where that has something left to do, and nowhere else",
          "[launch][exec]") {
  struct Case {
    const char* what;
    bool user_namespace, limit, terminal, privileged, waits;
  };
  for (const Case& c : {
           Case{"nothing", false, false, false, true, false},
           Case{"a limit is init's own to set", false, true, false, true, false},
           Case{"a limit in a user namespace is not", true, true, false, true, true},
           Case{"a user namespace alone", true, false, false, true, false},
           Case{"somebody takes the terminal", false, false, true, true, true},
           Case{"an ordinary user's exec goes on in a child", true, false, false, false, true},
       }) {
    INFO(c.what);
    spec::Spec frozen = frozen_spec();
    if (c.user_namespace) frozen.linux->namespaces.push_back({.type = spec::NamespaceType::user});
    ExecOptions options = asking_for({"ls"});
    options.tty = c.terminal;
    spec::Process process = process_of(options);
    if (c.limit) process.rlimits = {{.type = "RLIMIT_NOFILE", .soft = 5, .hard = 10}};

    const Result<ExecPlan> plan =
        plan_of(frozen, process, options, c.privileged ? test::ordinary_host() : test::unprivileged_host());

    REQUIRE(plan.has_value());
    CHECK(plan.value().waits == c.waits);
    CHECK(line_of(plan.value().builder, "gate mode=sync").empty() != c.waits);
    CHECK(plan.value().rlimits.empty() == !(c.limit && c.user_namespace));
    const bool by_init = c.limit && !c.user_namespace;
    CHECK(line_of(plan.value().builder, "resource_limit")
              .starts_with("resource_limit resource=7 soft=5 hard=10") == by_init);
  }
}

TEST_CASE("a filter that was kept is not compiled again", "[launch][exec][seccomp]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->seccomp = spec::Seccomp{.default_action = "SCMP_ACT_ALLOW",
                                        .syscalls = {{.names = {"mkdir"}, .action = "SCMP_ACT_ERRNO"}}};
  const std::string two_instructions(16, 'x');
  const auto kept = process::decode_program(process::encode_program(4, two_instructions));
  REQUIRE(kept.has_value());
  const ExecOptions options = asking_for({"ls"});

  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options, test::ordinary_host(), kept);

  REQUIRE(plan.has_value());
  CHECK(line_of(plan.value().builder, "seccomp").starts_with("seccomp program=16 bytes flags=4"));
}

TEST_CASE("an exec'd process has a listener of its own, which is told the container's pid too",
          "[launch][exec][seccomp]") {
  spec::Spec frozen = frozen_spec();
  frozen.linux->seccomp = spec::Seccomp{.default_action = "SCMP_ACT_ALLOW",
                                        .listener_path = "/run/agent.sock",
                                        .syscalls = {{.names = {"mkdir"}, .action = "SCMP_ACT_NOTIFY"}}};
  const ExecOptions options = asking_for({"ls"});

  const Result<ExecPlan> plan = plan_of(frozen, process_of(options), options);

  REQUIRE(plan.has_value());
  const std::string line = line_of(plan.value().builder, "seccomp");
  CHECK(line.find("\\\"pid\\\":\\x01,\\\"state\\\":") != std::string::npos);
  CHECK(line.find("\\\"status\\\":\\\"running\\\",\\\"pid\\\":4242") != std::string::npos);
}

TEST_CASE("a detached terminal needs a console socket", "[launch][exec][console]") {
  ExecOptions options = asking_for({"sh"});
  options.tty = options.detach = true;
  const Result<ExecPlan> refused = plan_of(frozen_spec(), process_of(options), options);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message() ==
        "cannot allocate tty if capsule will detach without setting console socket");

  options.console_socket = "/run/console.sock";
  const Result<ExecPlan> plan = plan_of(frozen_spec(), process_of(options), options);
  REQUIRE(plan.has_value());
  CHECK(plan.value().builder.donations()[*plan.value().console_slot].source == "/run/console.sock");
  CHECK(line_of(plan.value().builder, "console").find("mount_console") == std::string::npos);
}

TEST_CASE("labels of an exec are announced before anything of the container is joined",
          "[launch][exec][labels]") {
  ExecOptions options = asking_for({"ls"});
  options.apparmor = "docker-default";
  options.process_label = "a:b:c:s0";
  Host host = test::ordinary_host();
  host.modules = {.apparmor = true, .confined = true, .selinux = true};
  spec::Process process = process_of(options);
  process.no_new_privileges = true;

  const Result<ExecPlan> plan = plan_of(frozen_spec(), process, options, host);

  REQUIRE(plan.has_value());
  const std::vector<std::string> lines = lines_of(plan.value().builder);
  REQUIRE(lines.size() > 4);
  CHECK(lines[0] == "security_label file=attr/keycreate text=a:b:c:s0   # /process/selinuxLabel");
  CHECK(lines[1] == "security_label file=attr/exec text=a:b:c:s0   # /process/selinuxLabel");
  CHECK(lines[2] ==
        "security_label file=attr/apparmor/exec text=\"stack docker-default\"   # "
        "/process/apparmorProfile");
  CHECK(lines[3].starts_with("join_namespace"));
}

TEST_CASE("an exec is refused a profile that the host cannot apply", "[launch][exec][labels]") {
  ExecOptions options = asking_for({"ls"});
  options.apparmor = "docker-default";

  const Result<ExecPlan> plan = plan_of(frozen_spec(), process_of(options), options);

  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().message().starts_with("/process/apparmorProfile: "));
}

TEST_CASE("processors are ours while the process is born, and its own once it is in its cgroup",
          "[launch][exec][affinity]") {
  const ExecOptions options = asking_for({"ls"});
  spec::Process process = process_of(options);
  process.exec_cpu_affinity = spec::ExecCpuAffinity{.initial = "0,2", .final_set = "1"};
  process.oom_score_adj = -5;
  const Result<ExecPlan> plan = plan_of(frozen_spec(), process, options);
  REQUIRE(plan.has_value());
  CHECK(plan.value().initial_cpus == std::vector<unsigned long>{5});
  CHECK(line_of(plan.value().builder, "cpu_affinity") ==
        "cpu_affinity cpus=8 bytes   # /process/execCPUAffinity/final");
  CHECK(plan.value().oom_score_adj == -5);

  process.exec_cpu_affinity->initial = "2-1";
  CHECK_FALSE(plan_of(frozen_spec(), process, options).has_value());
}

TEST_CASE("what no affinity is asked for may run wherever its cgroup allows, not where we do",
          "[launch][exec][affinity]") {
  const ExecOptions options = asking_for({"ls"});
  spec::Process process = process_of(options);
  const std::string everywhere =
      line_of(plan_of(frozen_spec(), process, options).value().builder, "cpu_affinity");
  CHECK(everywhere.starts_with("cpu_affinity"));

  process.exec_cpu_affinity = spec::ExecCpuAffinity{};
  CHECK(line_of(plan_of(frozen_spec(), process, options).value().builder, "cpu_affinity") == everywhere);
}

TEST_CASE("exec follows init where the container's own cgroup takes no process", "[launch][exec]") {
  ExecOptions anywhere;
  ExecOptions somewhere;
  somewhere.cgroup = "below";
  CHECK(may_join_cgroup_of_init(EBUSY, anywhere));
  CHECK(may_join_cgroup_of_init(EOPNOTSUPP, anywhere));
  CHECK_FALSE(may_join_cgroup_of_init(EACCES, anywhere));
  CHECK_FALSE(may_join_cgroup_of_init(EBUSY, somewhere));
}

}  // namespace
}  // namespace capsule::launch
