// `create`, `run`, `start`, `delete`: the life of a container, told from outside.
#include <sys/prctl.h>

#include <csignal>
#include <poll.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/foreground.h"
#include "runtime/launch/hooks.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/launcher.h"
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
Status run_poststart(const container::Store& store, const std::string& id, const spec::Hooks& hooks) {
  if (hooks.poststart.empty()) return {};
  const Container container = TRY(Container::open(store, id, Container::Lock::none));
  Status done =
      run_hooks({"poststart", &hooks.poststart, hook_state_of(container), container.record().bundle});
  if (done.has_value()) return done;
  (void)delete_container(store, id, true);  // runtime.md#lifecycle: a failing poststart hook stops and
                                            // deletes; its error is the one to tell
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
  const Result<std::string> config = container.frozen_config();
  if (!config.has_value()) return;  // half-made: it never had hooks to run
  const Result<spec::Spec> spec = spec::read(config.value());
  if (spec.has_value()) run_poststop(container, spec.value().hooks);
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
  if (!connected.has_value() && connected.error().code() == ECONNREFUSED)
    return refuse_start(ContainerStatus::stopped);
  TRY(std::move(connected));
  TRY(send_line(gate, protocol::Line::start));
  return expect_executed(gate);
}

// Our standard streams go to the container, so it must not outlive a failed start of ours half-way:
// everything is undone by `launched`.
Status open_own_gate(const Launched& launched) {
  TRY(send_line(launched.sync, protocol::Line::start));
  return expect_executed(launched.sync);
}

// The container stands on its own from here on; what remains ours is the process we may wait for.
InitProcess hand_over(Launched launched) {
  InitProcess init = std::move(launched.init);
  launched.keep();
  return init;
}

// `run` still has the hooks in hand and need not read them again.
Status delete_after_run(const container::Store& store,
                        const LaunchOptions& options,
                        const spec::Hooks& hooks) {
  if (options.keep) return {};
  return container::remove(store, options.id, false,
                           [&](const Container& container) { run_poststop(container, hooks); });
}

}  // namespace

Status create_container(const container::Store& store, const LaunchOptions& options) {
  Launched launched = TRY(launch_init(store, options, plan::GateMode::listen));
  launched.keep();
  return {};
}

Result<int> run_container(const container::Store& store, const LaunchOptions& options) {
  const SignalQueue signals = TRY(SignalQueue::open());
  if (!options.detach && !options.no_subreaper)
    TRY(sys::prctl(PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER"));

  Launched launched = TRY(launch_init(store, options, plan::GateMode::sync));
  UniqueFd master;
  if (launched.console.is_open()) master = TRY(receive_master(launched.console));
  if (!launched.bundle.spec.process.has_value())
    return Error::invalid_config("/process", "must be set to start a container");
  TRY(open_own_gate(launched));

  const spec::Hooks hooks = launched.bundle.spec.hooks;
  InitProcess init = hand_over(std::move(launched));
  if (options.detach) init.keep();
  TRY(run_poststart(store, options.id, hooks));
  if (options.detach) return 0;
  const int code = TRY(wait_in_foreground(signals, init, std::move(master)));
  TRY(delete_after_run(store, options, hooks));
  return code;
}

Status start_container(const container::Store& store, const std::string& id) {
  spec::Hooks hooks;
  {
    const Container container = TRY(Container::open(store, id, Container::Lock::exclusive));
    const ContainerStatus status = container.status();
    if (status != ContainerStatus::created) return refuse_start(status);
    const spec::Spec spec = TRY(spec::read(TRY(container.frozen_config())));
    if (!spec.process.has_value())
      return Error::invalid_config("/process", "must be set to start a container");
    Status started = open_gate(container);
    (void)sys::unlinkat(container.dir(), container::kGateName, 0);  // opened once, whatever came of it
    TRY(std::move(started));
    hooks = spec.hooks;
  }
  return run_poststart(store, id, hooks);
}

Status delete_container(const container::Store& store, const std::string& id, bool force) {
  return container::remove(store, id, force, run_frozen_poststop);
}

Result<std::string> describe_launch(const container::Store& /*store*/, const LaunchOptions& options) {
  const Bundle bundle = TRY(load_bundle(options));
  const Host host = TRY(probe_host());
  const CreatePlan plan = TRY(plan_create(bundle, options, host, plan::GateMode::listen));
  const std::string image = plan.builder.finish();
  std::string text = plan::describe_donations(plan.builder.donations());
  for (const cgroups::Write& write : plan.cgroup.writes) {
    text.append(cat({"cgroup ", write.file, " ", write.value, "   # ", write.field, "\n"}));
  }
  for (const ns::NetDeviceMove& move : plan.net_devices)
    text.append(cat({"network device ", move.host_name, " ", move.name, "   # ", move.field, "\n"}));
  return text.append(plan::describe(plan::View::verify(image.data(), image.size())));
}

}  // namespace capsule::launch
