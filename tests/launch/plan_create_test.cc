#include "runtime/launch/plan_create.h"

#include <sched.h>

#include "tests/launch/support.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using test::line_of;
using test::lines_of;

LaunchOptions options_for(const char* id = "c1") {
  LaunchOptions options;
  options.id = id;
  return options;
}

Result<CreatePlan> plan_of(const Bundle& bundle,
                           const LaunchOptions& options = options_for(),
                           const Host& host = test::ordinary_host(),
                           plan::GateMode gate = plan::GateMode::listen) {
  return plan_create(bundle, options, host, gate);
}

std::string error_of(const Result<CreatePlan>& plan) {
  return plan.has_value() ? std::string() : plan.error().message();
}

void add_user_namespace(Bundle& bundle, std::vector<spec::IdMapping> mappings) {
  bundle.spec.linux->namespaces.push_back({.type = spec::NamespaceType::user});
  bundle.spec.linux->uid_mappings = bundle.spec.linux->gid_mappings = std::move(mappings);
}

spec::Seccomp denying_mkdir() {
  return {.default_action = "SCMP_ACT_ALLOW", .syscalls = {{.names = {"mkdir"}, .action = "SCMP_ACT_ERRNO"}}};
}

CreatePlan plan_beside_init(const Bundle& bundle) {
  return plan_create(bundle, options_for(), test::ordinary_host(), plan::GateMode::sync,
                     FilterTime::beside_init)
      .value();
}

// The names of the steps from the first `from` to the first `to`.
std::vector<std::string> kinds_between(const CreatePlan& plan, std::string_view from, std::string_view to) {
  std::vector<std::string> kinds;
  for (const std::string& line : lines_of(plan.builder)) {
    const std::string kind = line.substr(0, line.find(' '));
    if (!kinds.empty() || kind == from) kinds.push_back(kind);
    if (!kinds.empty() && kind == to) break;
  }
  return kinds;
}

TEST_CASE("a filter that is sent is awaited right before it is needed, and always before ready",
          "[launch][seccomp]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.linux->seccomp = denying_mkdir();
  using Kinds = std::vector<std::string>;

  const CreatePlan early = plan_beside_init(bundle);
  CHECK(early.filter_is_sent);
  CHECK(kinds_between(early, "expect", "confine") ==
        Kinds{"expect", "seccomp", "change_directory", "confine"});

  bundle.spec.process->no_new_privileges = true;
  const CreatePlan late = plan_beside_init(bundle);
  CHECK(kinds_between(late, "expect", "exec") == Kinds{"expect", "gate", "expect", "seccomp", "exec"});
  CHECK(line_of(late.builder, "seccomp").find("program=") == std::string::npos);
}

TEST_CASE("a filter is part of the plan where it notifies, where there is none, and unless asked otherwise",
          "[launch][seccomp]") {
  Bundle bundle = test::ordinary_bundle();
  CHECK_FALSE(plan_beside_init(bundle).filter_is_sent);

  bundle.spec.linux->seccomp = spec::Seccomp{};
  CHECK_FALSE(plan_beside_init(bundle).filter_is_sent);

  bundle.spec.linux->seccomp = denying_mkdir();
  CHECK_FALSE(plan_of(bundle).value().filter_is_sent);

  bundle.spec.linux->seccomp->listener_path = "/run/agent.sock";
  bundle.spec.linux->seccomp->syscalls.front().action = "SCMP_ACT_NOTIFY";
  const CreatePlan notifying = plan_beside_init(bundle);
  CHECK_FALSE(notifying.filter_is_sent);
  CHECK(line_of(notifying.builder, "seccomp").find("program=") != std::string::npos);
}

TEST_CASE("R17: what is wrong with a filter that is sent is said before anything is made",
          "[launch][seccomp]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.linux->seccomp = denying_mkdir();
  bundle.spec.linux->seccomp->syscalls.front().action = "SCMP_ACT_DENY";

  const auto plan = plan_create(bundle, options_for(), test::ordinary_host(), plan::GateMode::sync,
                                FilterTime::beside_init);

  CHECK(error_of(plan).find("/linux/seccomp/syscalls/0/action") != std::string::npos);
}

TEST_CASE("a state is cut exactly where its pid stands", "[launch][state]") {
  const Bundle bundle = test::ordinary_bundle();
  const spec::ContainerState state = hook_state(bundle, "c1", 4242, "creating");
  const AroundPid around = split_at_pid(state);
  CHECK(around.before + "4242" + around.after == spec::write_hook_state(state));
  CHECK(around.before.ends_with("\"pid\":"));
}

TEST_CASE("no annotation can move the place where the pid goes", "[launch][state]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.annotations = {{"a", "\"pid\":0"}, {"pid", "0"}, {"z", "\"pid\":"}};
  const spec::ContainerState state = hook_state(bundle, "pid", 17, "created");
  const AroundPid around = split_at_pid(state);
  CHECK(around.before + "17" + around.after == spec::write_hook_state(state));
}

// The kinds of the steps whose line begins with one of `begins`, in order.
std::string order_of(const plan::Builder& builder, const std::vector<std::string>& begins) {
  std::string order;
  for (const std::string& line : lines_of(builder)) {
    for (const std::string& begin : begins) {
      if (line.starts_with(begin)) order += begin + "\n";
    }
  }
  return order;
}

TEST_CASE("labels are announced while the host's procfs is at hand, the program's behind the hooks",
          "[launch][labels]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.process->apparmor_profile = "docker-default";
  bundle.spec.process->selinux_label = "a:b:c:s0";
  bundle.spec.hooks.create_container = {spec::Hook{.path = "/hook"}};
  Host host = test::ordinary_host();
  host.modules = {.apparmor = true, .selinux = true};

  const Result<CreatePlan> plan = plan_of(bundle, options_for(), host);

  REQUIRE(plan.has_value());
  CHECK(order_of(plan.value().builder, {"security_label file=attr/keycreate", "session_keyring", "run_hook",
                                        "security_label file=attr/exec",
                                        "security_label file=attr/apparmor/exec", "pivot", "gate"}) ==
        "security_label file=attr/keycreate\nsession_keyring\nrun_hook\nsecurity_label file=attr/exec\n"
        "security_label file=attr/apparmor/exec\npivot\ngate\n");
}

TEST_CASE("labels are refused where the host does not know them, whoever asks", "[launch][labels]") {
  Bundle mounts = test::ordinary_bundle(), process = test::ordinary_bundle();
  mounts.spec.linux->mount_label = "a:b:c:s0";
  process.spec.process->apparmor_profile = "docker-default";

  CHECK(error_of(plan_of(mounts)).starts_with("/linux/mountLabel: "));
  CHECK(error_of(plan_of(process)).starts_with("/process/apparmorProfile: "));
}

TEST_CASE("without a keyring of its own there is none to label", "[launch][labels]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.process->selinux_label = "a:b:c:s0";
  LaunchOptions options = options_for();
  options.no_new_keyring = true;
  Host host = test::ordinary_host();
  host.modules.selinux = true;

  const Result<CreatePlan> plan = plan_of(bundle, options, host);

  REQUIRE(plan.has_value());
  CHECK(line_of(plan.value().builder, "security_label file=attr/keycreate").empty());
  CHECK(!line_of(plan.value().builder, "security_label file=attr/exec").empty());
}

TEST_CASE("RDT is planned with the container's name", "[launch][rdt]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.linux->intel_rdt = spec::IntelRdt{.l3_cache_schema = "L3:0=f"};
  CHECK(error_of(plan_of(bundle)).starts_with("/linux/intelRdt: no resctrl file system is mounted"));

  Host host = test::ordinary_host();
  host.rdt.mount = "/sys/fs/resctrl";
  const Result<CreatePlan> plan = plan_of(bundle, options_for("c7"), host);
  REQUIRE(plan.has_value());
  CHECK(plan.value().rdt.group == "/sys/fs/resctrl/c7");
}

TEST_CASE("a new user namespace brings its maps and the root that init becomes", "[launch][maps]") {
  struct Case {
    std::vector<spec::IdMapping> mappings;
    const char* map;
    std::uint32_t root;
    const char* because;
  };
  for (const Case& c : {
           Case{{{0, 100000, 65536}}, "0 100000 65536\n", 0, "the usual one"},
           Case{{{1, 100000, 1000}, {0, 1000, 1}}, "1 100000 1000\n0 1000 1\n", 0, "in the order given"},
           Case{{{1000, 1000, 1}}, "1000 1000 1\n", 1000, "without a root, the first id there is"},
       }) {
    INFO(c.because);
    Bundle bundle = test::ordinary_bundle();
    add_user_namespace(bundle, c.mappings);
    const Result<CreatePlan> plan = plan_of(bundle);
    REQUIRE(plan.has_value());
    CHECK(plan.value().uid_map == c.map);
    CHECK(plan.value().gid_map == c.map);
    CHECK(plan.value().root_uid == c.root);
    CHECK(plan.value().root_gid == c.root);
    CHECK((plan.value().namespaces.clone_flags & CLONE_NEWUSER) != 0);
  }
}

TEST_CASE("setgroups is given up only by a caller without privileges", "[launch][maps]") {
  Bundle bundle = test::ordinary_bundle();
  add_user_namespace(bundle, {{0, 1000, 1}});
  const Result<CreatePlan> rootful = plan_of(bundle);
  REQUIRE(rootful.has_value());
  CHECK_FALSE(rootful.value().denies_setgroups);
  CHECK(line_of(rootful.value().builder, "confine").find("set_groups=1") != std::string::npos);

  const Result<CreatePlan> rootless = plan_of(bundle, options_for(), test::unprivileged_host());
  REQUIRE(rootless.has_value());
  CHECK(rootless.value().denies_setgroups);
  CHECK(line_of(rootless.value().builder, "confine").find("set_groups=0") != std::string::npos);
}

TEST_CASE("what is denied in the caller's user namespace is denied in every one below", "[launch][maps]") {
  Host host = test::ordinary_host();
  host.in_user_namespace = host.setgroups_denied = true;
  Bundle bundle = test::ordinary_bundle();
  const Result<CreatePlan> same = plan_of(bundle, options_for(), host);
  add_user_namespace(bundle, {{0, 0, 1}});
  const Result<CreatePlan> below = plan_of(bundle, options_for(), host);

  REQUIRE(same.has_value());
  REQUIRE(below.has_value());
  CHECK(line_of(same.value().builder, "confine").find("set_groups=0") != std::string::npos);
  CHECK(line_of(below.value().builder, "confine").find("set_groups=0") != std::string::npos);
}

TEST_CASE("what newgidmap writes leaves setgroups allowed", "[launch][maps]") {
  struct Case {
    std::vector<spec::IdMapping> gids;
    bool denied;
    const char* because;
  };
  for (const Case& c : {
           Case{{{0, 1000, 1}}, true, "its own group alone: written directly, and setgroups is the price"},
           Case{{{5, 1000, 1}}, true, "wherever it is inside"},
           Case{{{0, 1000, 1}, {1, 100000, 65536}}, false, "more than one"},
           Case{{{0, 100000, 1}}, false, "another group"},
           Case{{{0, 1000, 2}}, false, "a neighbour"},
       }) {
    INFO(c.because);
    Bundle bundle = test::ordinary_bundle();
    add_user_namespace(bundle, {{0, 1000, 1}});
    bundle.spec.linux->gid_mappings = c.gids;
    const Result<CreatePlan> plan = plan_of(bundle, options_for(), test::unprivileged_host());
    REQUIRE(plan.has_value());
    CHECK(plan.value().denies_setgroups == c.denied);
    CHECK((line_of(plan.value().builder, "confine").find("set_groups=0") != std::string::npos) == c.denied);

    bundle.spec.process->user.additional_gids = {0};
    CHECK(error_of(plan_of(bundle, options_for(), test::unprivileged_host())) ==
          (c.denied
               ? "/process/user/additionalGids: cannot be set, setgroups(2) is denied in this user namespace"
               : ""));
  }
}

TEST_CASE("an ordinary user needs a user namespace", "[launch][namespaces]") {
  CHECK(error_of(plan_of(test::ordinary_bundle(), options_for(), test::unprivileged_host())) ==
        "/linux/namespaces: rootless container requires user namespaces");
}

TEST_CASE("without a new user namespace there are no maps", "[launch][maps]") {
  const Result<CreatePlan> plan = plan_of(test::ordinary_bundle());
  REQUIRE(plan.has_value());
  CHECK(plan.value().uid_map.empty());
  CHECK(plan.value().gid_map.empty());
}

TEST_CASE("a terminal needs somebody who takes its other end", "[launch][console]") {
  struct Case {
    bool terminal, socket, detach;
    plan::GateMode gate;
    const char* error;
  };
  using Gate = plan::GateMode;
  const char* const no_socket = "cannot allocate tty if capsule will detach without setting console socket";
  const char* const no_use = "cannot use console socket if capsule will not detach or allocate tty";
  for (const Case& c : {
           Case{true, true, false, Gate::listen, ""},
           Case{true, false, false, Gate::listen, no_socket},
           Case{false, true, false, Gate::listen, no_use},
           Case{false, false, false, Gate::listen, ""},
           Case{true, false, false, Gate::sync, ""},
           Case{true, true, false, Gate::sync, no_use},
           Case{true, false, true, Gate::sync, no_socket},
           Case{true, true, true, Gate::sync, ""},
       }) {
    Bundle bundle = test::ordinary_bundle();
    bundle.spec.process->terminal = c.terminal;
    LaunchOptions options = options_for();
    options.detach = c.detach;
    if (c.socket) options.console_socket = "/run/console.sock";
    const Result<CreatePlan> plan = plan_of(bundle, options, test::ordinary_host(), c.gate);
    CHECK(error_of(plan) == c.error);
    if (plan.has_value()) CHECK(plan.value().console_slot.has_value() == c.terminal);
  }
}

TEST_CASE("limits without a hierarchy to write them to are refused, no limits are not", "[launch][cgroup]") {
  Bundle bundle = test::ordinary_bundle();
  Host host = test::ordinary_host();
  host.cgroups.mount.clear();
  const Result<CreatePlan> without = plan_of(bundle, options_for(), host);
  REQUIRE(without.has_value());
  CHECK(without.value().cgroup.path.empty());

  bundle.spec.linux->resources.emplace().pids = spec::Pids{.limit = 10};
  CHECK(error_of(plan_of(bundle, options_for(), host)) ==
        "/linux/resources/pids/limit: no cgroup2 hierarchy is mounted on this host");

  LaunchOptions disabled = options_for();
  disabled.cgroup_manager = CgroupManager::disabled;
  CHECK(error_of(plan_of(bundle, disabled)) ==
        "/linux/resources/pids/limit: cannot be applied with the cgroup manager \"disabled\"");
}

TEST_CASE("descriptors handed over by a socket activator are kept and announced", "[launch][environment]") {
  Host host = test::ordinary_host();
  host.listen_fds = 2;
  LaunchOptions options = options_for();
  options.preserve_fds = 3;
  const Result<CreatePlan> plan = plan_of(test::ordinary_bundle(), options, host);
  REQUIRE(plan.has_value());
  CHECK(line_of(plan.value().builder, "exec").find("LISTEN_FDS=2 LISTEN_PID=1") != std::string::npos);
  const std::string image = plan.value().builder.finish();
  CHECK(plan::View::verify(image.data(), image.size()).header().preserved_fds == 5);
}

TEST_CASE("the session keyring is the container's own unless the caller's is to be kept",
          "[launch][keyring]") {
  const Result<CreatePlan> own = plan_of(test::ordinary_bundle(), options_for("web"));
  REQUIRE(own.has_value());
  CHECK(line_of(own.value().builder, "session_keyring") == "session_keyring name=_ses.web");

  LaunchOptions options = options_for();
  options.no_new_keyring = true;
  const Result<CreatePlan> callers = plan_of(test::ordinary_bundle(), options);
  REQUIRE(callers.has_value());
  CHECK(line_of(callers.value().builder, "session_keyring").empty());
}

TEST_CASE("a bundle without a process ends at the gate", "[launch][create]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.process.reset();
  const Result<CreatePlan> plan = plan_of(bundle);
  REQUIRE(plan.has_value());
  CHECK(lines_of(plan.value().builder).back() == "gate mode=listen");
}

TEST_CASE("a hook in the container has its own environment, or the one of where it runs", "[launch][hooks]") {
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.hooks.create_container = {{.path = "/a"}, {.path = "/b", .env = {{"X=1"}}}};
  bundle.spec.hooks.start_container = {{.path = "/c"}, {.path = "/d", .env = {{}}, .timeout = 7}};
  const Result<CreatePlan> plan = plan_of(bundle);
  REQUIRE(plan.has_value());
  const plan::Builder& builder = plan.value().builder;
  CHECK(line_of(builder, "run_hook path=/a").find("env=") == std::string::npos);
  CHECK(line_of(builder, "run_hook path=/b").find("env=[X=1]") != std::string::npos);
  CHECK(line_of(builder, "run_hook path=/c").find("env=[PATH=/bin]") != std::string::npos);
  CHECK(line_of(builder, "run_hook path=/d").find("env=") == std::string::npos);
  CHECK(line_of(builder, "run_hook path=/d").find("timeout_ms=7000") != std::string::npos);
  CHECK(line_of(builder, "run_hook path=/d").find("# /hooks/startContainer/1") != std::string::npos);
}

TEST_CASE("a container that a service manager waits for has a socket of its own", "[launch][notify]") {
  Host host = test::ordinary_host();
  host.notify_directory = "/run/capsule/c1/notify";
  LaunchOptions options;
  options.id = "c1";
  Bundle bundle = test::ordinary_bundle();
  bundle.spec.process->env = {"NOTIFY_SOCKET=/elsewhere", "A=1"};
  const CreatePlan plan = plan_create(bundle, options, host, plan::GateMode::listen).value();
  CHECK(plan.has_notify_socket);
  const std::string bind = test::line_of(plan.builder, "bind ");
  CHECK(bind.find("target=/run/notify source=/run/capsule/c1/notify") != std::string::npos);
  CHECK(bind.find("ro|nosuid|nodev|noexec") != std::string::npos);
  CHECK(test::line_of(plan.builder, "exec ").find("NOTIFY_SOCKET=/run/notify/notify.sock A=1]") !=
        std::string::npos);

  std::erase_if(bundle.spec.linux->namespaces,
                [](const spec::Namespace& n) { return n.type == spec::NamespaceType::mount; });
  const CreatePlan shared = plan_create(bundle, options, host, plan::GateMode::listen).value();
  CHECK_FALSE(shared.has_notify_socket);
  CHECK(test::line_of(shared.builder, "exec ").find("NOTIFY_SOCKET=/elsewhere") != std::string::npos);
}

}  // namespace
}  // namespace capsule::launch
