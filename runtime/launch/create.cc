// `create`, `run`, `start`, `delete`: the life of a container, told from outside.
#include <sys/prctl.h>

#include <csignal>
#include <poll.h>

#include "runtime/base/latency.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/foreground.h"
#include "runtime/launch/hooks.h"
#include "runtime/launch/interrupts.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/launcher.h"
#include "runtime/launch/notify.h"
#include "runtime/launch/processors.h"
#include "runtime/launch/sync_socket.h"
#include "runtime/launch/terminal.h"
#include "runtime/plan/describe.h"
#include "spec/read.h"

namespace capsule::launch {
namespace {

using container::Container;
using container::ContainerStatus;

std::string hook_state_of(const Container& container) {
  spec::ContainerState state = container.state();
  state.created.clear();
  return spec::write_hook_state(state);
}

// The state of a container as its own hooks after `start` are told it.
//   interrupts   open_interrupts(), or a closed one: then a signal ends us and not the hook
Status run_poststart(const container::Store& store,
                     const std::string& id,
                     const spec::Hooks& hooks,
                     FdRef interrupts) {
  if (hooks.poststart.empty()) return {};
  const Container container = TRY(Container::open(store, id, Container::Lock::none));
  Status done = run_hooks(
      {"poststart", &hooks.poststart, hook_state_of(container), container.record().bundle, interrupts});
  if (done.has_value()) return done;
  (void)delete_container(store, id, true);
  return done;
}

void run_poststop(const Container& container, const spec::Hooks& hooks) {
  if (hooks.poststop.empty()) return;
  spec::ContainerState state = container.state();
  state.status = "stopped";
  state.pid = 0;
  state.created.clear();
  run_hooks_to_the_end(
      {"poststop", &hooks.poststop, spec::write_hook_state(state), container.record().bundle});
}

void run_frozen_poststop(const Container& container) {
  if (!container.record().delete_needs_config) return;
  const Result<std::string> config = container.frozen_config();
  if (!config.has_value()) return;  // half-made: it never had hooks to run
  const Result<spec::Spec> spec = spec::read(config.value());
  if (spec.has_value()) run_poststop(container, spec.value().hooks);
}

Result<spec::Hooks> read_start_hooks(const Container& container) {
  spec::Spec spec = TRY(spec::read(TRY(container.frozen_config())));
  if (!spec.process.has_value()) return Error::invalid_config("/process", "must be set to start a container");
  return std::move(spec.hooks);
}

Status refuse_start(ContainerStatus status) {
  if (status == ContainerStatus::stopped)
    return Error::wrong_state("cannot start a container that has stopped");
  if (status == ContainerStatus::creating)
    return Error::wrong_state("cannot start a container that is still being created");
  return Error::wrong_state("cannot start an already running container");
}

Status open_gate(const Container& container) {
  const UniqueFd gate = TRY(sys::unix_socket(SOCK_SEQPACKET));
  Status connected = sys::unix_connect(gate, container.dir(), container::kGateName);
  // Nobody listens: init died a moment ago, or a `start` that was killed had opened it.
  if (!connected.has_value() && connected.error().code() == ECONNREFUSED)
    return refuse_start(container.init().has_value() ? ContainerStatus::running : ContainerStatus::stopped);
  TRY(std::move(connected));
  const Result<UniqueFd> cgroup = container.cgroup();
  return explain_death(start_program(gate, nullptr), cgroup.has_value() ? FdRef(cgroup.value()) : FdRef(-1));
}

// Our standard streams go to the container, so it must not outlive a failed start of ours half-way:
// everything is undone by `launched`.
Status open_own_gate(Launched& launched, FdRef interrupts) {
  return explain_death(start_program(launched.sync, &launched.init, interrupts), launched.place.cgroup.dir());
}

// What remains ours of a container that stands on its own.
struct HandedOver {
  InitProcess init;  // which we may wait for
  container::Record record;
  spec::Record data;
};

HandedOver hand_over(Launched launched) {
  InitProcess init = std::move(launched.init);
  launched.keep();
  return {std::move(init), std::move(launched.record), std::move(launched.data)};
}

// `run` still has record and hooks in hand and need not read them again.
Status delete_after_run(HandedOver ours, const spec::Hooks& hooks) {
  const Container container = TRY(Container::reopen(std::move(ours.record), std::move(ours.data)));
  return container::remove_ended(container, [&](const Container& ended) { run_poststop(ended, hooks); });
}

// A container that `start` stays with until it is up.
struct Notified {
  NotifyRelay relay;
  Pidfd init;
};

// Bound before the program runs, so that its first word finds somebody.
Result<std::optional<NotifyRelay>> open_relay(FdRef state_directory) {
  std::string manager = TRY(find_service_manager());
  // `create` may have been told of one and `start` not, or the other way about.
  if (manager.empty() || !has_notify_directory(state_directory)) return std::optional<NotifyRelay>();
  return std::optional<NotifyRelay>(TRY(NotifyRelay::open(state_directory, std::move(manager))));
}

}  // namespace

Status create_container(const container::Store& store, const LaunchOptions& options) {
  const UniqueFd interrupts = TRY(open_interrupts());
  Launched launched = TRY(launch_init(store, options, plan::GateMode::listen, interrupts));
  launched.keep();
  return {};
}

Result<int> run_container(const container::Store& store, const LaunchOptions& options) {
  const SignalQueue signals = TRY(SignalQueue::open());
  if (!options.detach && !options.no_subreaper)
    TRY(sys::prctl(PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER"));

  const UniqueFd interrupts = TRY(open_interrupts());
  Launched launched = TRY(launch_init(store, options, plan::GateMode::sync, interrupts));
  launched.poststop.owe(launched.bundle, options.id, interrupts);  // it has been created
  UniqueFd master;
  if (launched.console.is_open()) master = TRY(receive_master(launched.console));
  if (!launched.bundle.spec.process.has_value())
    return Error::invalid_config("/process", "must be set to start a container");
  std::optional<NotifyRelay> relay = TRY(open_relay(launched.record.dir()));
  TRY(open_own_gate(launched, interrupts));
  latency::mark("record written, program executed");

  const spec::Hooks hooks = launched.bundle.spec.hooks;
  HandedOver ours = hand_over(std::move(launched));
  TRY(ours.record.unlock());
  InitProcess& init = ours.init;
  const pid_t main = init.pid();
  if (options.detach) init.keep();
  TRY(run_poststart(store, options.id, hooks, interrupts));
  if (options.detach) {
    if (relay.has_value()) TRY(wait_until_ready(*relay, main, init.pidfd(), interrupts));
    return 0;
  }
  const int code =
      TRY(wait_in_foreground(signals, init, std::move(master), relay.has_value() ? &*relay : nullptr));
  latency::mark("program running");
  if (!options.keep) TRY(delete_after_run(std::move(ours), hooks));
  return code;
}

// runtime.md#lifecycle: a failing startContainer or poststart hook stops and deletes the container, poststop
// hooks included. Its error is the one to tell.
Status start_container(const container::Store& store, const std::string& id) {
  spec::Hooks hooks;
  Status started;
  std::optional<Notified> notified;
  stay_on_processor();
  {
    const Container container = TRY(Container::open(store, id, Container::Lock::exclusive));
    const ContainerStatus status = container.status();
    if (status != ContainerStatus::created) return refuse_start(status);
    latency::mark("record read, status found");
    if (container.record().start_needs_config) hooks = TRY(read_start_hooks(container));
    std::optional<NotifyRelay> relay = TRY(open_relay(container.dir()));
    if (relay.has_value()) {
      Pidfd init = TRY(container.init());
      notified = Notified{std::move(*relay), std::move(init)};
    }
    started = open_gate(container);
    (void)sys::unlinkat(container.dir(), container::kGateName, 0);  // opened once, whatever came of it
  }
  if (!started.has_value()) {
    if (started.error().kind() == ErrorKind::hook) (void)delete_container(store, id, true);
    return started;
  }
  latency::mark("program executed");
  TRY(run_poststart(store, id, hooks, FdRef(-1)));
  return notified.has_value()
             ? wait_until_ready(notified->relay, notified->init.pid(), notified->init.fd(), FdRef(-1))
             : Status();
}

Status delete_container(const container::Store& store, const std::string& id, bool force) {
  return container::remove(store, id, force, run_frozen_poststop);
}

Result<std::string> describe_launch(const container::Store& /*store*/, const LaunchOptions& options) {
  const Bundle bundle = TRY(load_bundle(options));
  const Host host = TRY(probe_host_for(bundle.spec, options));
  const CreatePlan plan = TRY(plan_create(bundle, options, host, plan::GateMode::listen));
  const std::string image = plan.builder.finish();
  std::string text = plan::describe_donations(plan.builder.donations());
  if (plan.cgroup.scope.has_value()) text.append(cgroups::describe_scope(*plan.cgroup.scope));
  for (const cgroups::Write& write : plan.cgroup.writes) {
    text.append(cat({"cgroup ", write.file, " ", write.value, "   # ", write.field, "\n"}));
  }
  for (const ns::NetDeviceMove& move : plan.net_devices)
    text.append(cat({"network device ", move.host_name, " ", move.name, "   # ", move.field, "\n"}));
  text.append(cgroups::describe_rdt(plan.rdt));
  return text.append(plan::describe(plan::View::verify(image.data(), image.size())));
}

}  // namespace capsule::launch
