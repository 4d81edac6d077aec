// The conversation that a plan prescribes: both sides walk its lines, so the lines are the protocol.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/sys.h"
#include "runtime/launch/sync_socket.h"
#include "tests/launch/support.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using protocol::Line;
using Lines = std::vector<std::string>;

// "say X", "expect X", "fork", "gate": what of a plan is spoken aloud.
Lines script_of(const CreatePlan& plan) {
  const std::string image = plan.builder.finish();
  const plan::View view = plan::View::verify(image.data(), image.size());
  Lines script;
  if ((plan.namespaces.clone_flags & CLONE_NEWUSER) != 0) script.emplace_back("expect maps_written");
  for (const plan::StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    if (step->kind == plan::StepKind::fork_init) script.emplace_back("say forked");
    if (step->kind == plan::StepKind::gate) {
      script.emplace_back("say ready");
      break;  // what comes behind is between init and whoever opens the gate
    }
    if (step->kind == plan::StepKind::say || step->kind == plan::StepKind::expect)
      script.push_back(
          plan::describe_step(view, step).substr(0, plan::describe_step(view, step).find("   #")));
  }
  for (std::string& line : script) {
    const std::size_t at = line.find("line=");
    if (at != std::string::npos) line.erase(at, 5);
  }
  return script;
}

CreatePlan plan_of(const Bundle& bundle) {
  LaunchOptions options;
  options.id = "c1";
  Result<CreatePlan> plan =
      plan_create(bundle, options, test::ordinary_host(), plan::GateMode::listen, FilterTime::beside_init);
  INFO((plan.has_value() ? std::string() : plan.error().message()));
  REQUIRE(plan.has_value());
  return std::move(plan).value();
}

Bundle with(void (*change)(spec::Spec&)) {
  Bundle bundle = test::ordinary_bundle();
  change(bundle.spec);
  return bundle;
}

void add_hook(spec::Spec& spec) {
  spec.hooks.create_runtime = {{.path = "/hook"}};
}
void add_prestart_hook(spec::Spec& spec) {
  spec.hooks.prestart = {{.path = "/hook"}};
}
void add_container_hook(spec::Spec& spec) {
  spec.hooks.create_container = {{.path = "/hook"}};
}
void add_user(spec::Spec& spec) {
  spec.linux->namespaces.push_back({.type = spec::NamespaceType::user});
  spec.linux->uid_mappings = spec.linux->gid_mappings = {{0, 100000, 65536}};
}
void join_user(spec::Spec& spec) {
  spec.linux->namespaces.push_back({.type = spec::NamespaceType::user, .path = "/proc/1/ns/user"});
}

void add_net_device(spec::Spec& spec) {
  spec.linux->namespaces.push_back({.type = spec::NamespaceType::network});
  spec.linux->net_devices = {{"eth0", {}}};
}
void add_profile(spec::Spec& spec) {
  spec.linux->seccomp = spec::Seccomp{.default_action = "SCMP_ACT_ALLOW",
                                      .syscalls = {{.names = {"mkdir"}, .action = "SCMP_ACT_ERRNO"}}};
}

void add_net_device_and_more(spec::Spec& spec) {
  add_user(spec);
  add_net_device(spec);
  add_hook(spec);
}

TEST_CASE("a launch has the lines that it needs and no others", "[launch][protocol]") {
  struct Case {
    Bundle bundle;
    Lines lines;
    const char* because;
  };
  for (const Case& c : {
           Case{with([](spec::Spec&) {}), {"say ready"}, "nothing to talk about before"},
           Case{with(add_hook), {"say rootfs_mounted", "expect hooks_done", "say ready"}, "createRuntime"},
           Case{
               with(add_prestart_hook), {"say rootfs_mounted", "expect hooks_done", "say ready"}, "prestart"},
           Case{with(add_container_hook), {"say ready"}, "hooks inside are init's own"},
           Case{with([](spec::Spec& spec) {
                  add_container_hook(spec);
                  spec.hooks.poststop = {{.path = "/hook"}};
                }),
                {"say rootfs_mounted", "expect hooks_done", "say ready"},
                "poststop is owed from here on"},
           Case{with(add_user), {"expect maps_written", "say ready"}, "maps come from outside"},
           Case{with(add_net_device),
                {"say namespaces_ready", "expect network_ready", "say ready"},
                "devices move from outside"},
           Case{with(add_net_device_and_more),
                {"expect maps_written", "say namespaces_ready", "expect network_ready", "say rootfs_mounted",
                 "expect hooks_done", "say ready"},
                "hooks find the devices inside"},
           Case{
               with(join_user), {"say forked", "say ready"}, "a pid namespace below a joined user namespace"},
           Case{with(add_profile), {"expect filter", "say ready"}, "the filter is compiled meanwhile"},
           Case{with([](spec::Spec& spec) {
                  add_net_device_and_more(spec);
                  add_profile(spec);
                }),
                {"expect maps_written", "say namespaces_ready", "expect network_ready", "say rootfs_mounted",
                 "expect hooks_done", "expect filter", "say ready"},
                "the filter comes behind all other lines"},
           Case{with([](spec::Spec& spec) {
                  join_user(spec);
                  add_profile(spec);
                }),
                {"say forked", "expect filter", "say ready"},
                "it is the process that goes on which gets it"},
       }) {
    INFO(c.because);
    CHECK(script_of(plan_of(c.bundle)) == c.lines);
  }
}

TEST_CASE("ready is the last line before the gate, whatever the plan", "[launch][protocol]") {
  for (void (*change)(spec::Spec&) : {add_hook, add_container_hook, add_user, join_user, add_net_device}) {
    const Lines script = script_of(plan_of(with(change)));
    CHECK(script.back() == "say ready");
    CHECK(std::count(script.begin(), script.end(), "say ready") == 1);
  }
}

TEST_CASE("start is taken behind the last hook, and before a filter that might forbid it",
          "[launch][protocol]") {
  const CreatePlan plan = plan_of(with([](spec::Spec& spec) {
    spec.hooks.start_container = {{.path = "/hook"}};
    spec.process->no_new_privileges = true;
    spec.linux->seccomp = spec::Seccomp{.default_action = "SCMP_ACT_ALLOW"};
  }));
  Lines kinds;
  for (const std::string& line : test::lines_of(plan.builder))
    kinds.push_back(line.substr(0, line.find(' ')));
  const auto gate = std::find(kinds.begin(), kinds.end(), "gate");
  CHECK(Lines(gate, kinds.end()) == Lines{"gate", "run_hook", "expect", "seccomp", "exec"});
}

// Init's part of the script, up to `last`, in a process of its own; then it dies.
pid_t play_until(const Lines& script, std::size_t last, FdRef socket) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  for (std::size_t i = 0; i < last; ++i) {
    if (script[i].starts_with("expect")) {
      (void)receive_frame(socket);
      continue;
    }
    const bool mounted = script[i] == "say rootfs_mounted";
    (void)send_line(socket, mounted ? Line::rootfs_mounted : Line::ready);
  }
  ::_exit(9);
}

// The parent's part: what happens at the first line that does not come.
std::string parents_view(const Lines& script, FdRef socket, InitProcess& init) {
  for (const std::string& line : script) {
    Status done;
    if (line.starts_with("expect")) {
      done = send_line(socket, Line::hooks_done);
    } else {
      done = expect_line(socket, line == "say rootfs_mounted" ? Line::rootfs_mounted : Line::ready, init);
    }
    if (!done.has_value()) return done.error().message();
  }
  return {};
}

TEST_CASE("an init that dies before a line is told by that line, whichever it is", "[launch][protocol]") {
  const Lines script = script_of(plan_of(with(add_hook)));
  for (std::size_t last = 0; last <= script.size(); ++last) {
    sys::SocketPair pair = sys::socketpair_seqpacket().value();
    const pid_t pid = play_until(script, last, pair.theirs);
    pair.theirs.reset();
    InitProcess init(sys::pidfd_open(pid).value(), pid);
    const std::string view = parents_view(script, pair.ours, init);

    if (last == script.size()) {
      CHECK(view.empty());
    } else if (script[last].starts_with("expect") && view.starts_with("tell init hooks_done")) {
      SUCCEED("it was gone before we spoke");
    } else {
      const std::string due = last == 0 ? "rootfs_mounted" : "ready";
      CHECK(view == "container init exited with status 9 before it said " + due);
    }
  }
}

}  // namespace
}  // namespace capsule::launch
