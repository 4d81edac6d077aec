// `exec`: one more process in a container that lives.
#include <fcntl.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>

#include "cgroups/cgroup.h"
#include "runtime/base/file.h"
#include "runtime/base/latency.h"
#include "runtime/base/text.h"
#include "runtime/base/user_namespace.h"
#include "runtime/launch/donations.h"
#include "runtime/launch/foreground.h"
#include "runtime/launch/init_image.h"
#include "runtime/launch/interrupts.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/launcher.h"
#include "runtime/launch/plan_exec.h"
#include "runtime/launch/processors.h"
#include "runtime/launch/rlimits.h"
#include "runtime/launch/sync_socket.h"
#include "runtime/launch/terminal.h"
#include "spec/read.h"

namespace capsule::launch {
namespace {

using container::Container;
using container::ContainerStatus;

Status check_status(ContainerStatus status, const ExecOptions& options) {
  if (status == ContainerStatus::stopped) return Error::wrong_state("cannot exec in a stopped container");
  if (status == ContainerStatus::creating)
    return Error::wrong_state("cannot exec in a container that is still being created");
  if (status == ContainerStatus::paused && !options.ignore_paused) {
    return Error::wrong_state("cannot exec in a paused container (use --ignore-paused to override)");
  }
  return {};
}

Result<std::optional<std::string>> read_process_file(const std::string& path) {
  if (path.empty()) return std::optional<std::string>();
  return std::optional<std::string>(TRY(read_file(FdRef::cwd(), path.c_str()).context("process file")));
}

// --cgroup [controller:]PATH is below the container's own; the controller is cgroup v1's and means nothing
// here.
Result<UniqueFd> open_exec_cgroup(const Container& container, const std::string& asked) {
  const spec::Record& record = container.record();
  if (record.cgroup_path.empty()) {
    if (!asked.empty()) return Error::wrong_state("--cgroup: the container has no cgroup");
    return UniqueFd();
  }
  if (asked.empty()) return cgroups::open_cgroup(record.cgroup_mount, record.cgroup_path);
  const std::string below = asked.substr(asked.find(':') == std::string::npos ? 0 : asked.find(':') + 1);
  for (const std::string_view part : split(below, '/')) {
    if (part == "..")
      return Error::wrong_state(cat({"--cgroup: ", quoted(asked), " is not below the container's cgroup"}));
  }
  return cgroups::open_cgroup(record.cgroup_mount, cat({record.cgroup_path, "/", below})).context("--cgroup");
}

using KeptProgram = std::optional<process::SeccompProgram>;

// As it was compiled for the container, if it has a profile. There is no other way to it: the frozen
// config.json has the profile without its rules.
Result<KeptProgram> kept_program(const Container& container, const spec::Spec& frozen) {
  if (!frozen.linux.has_value() || !process::asks_for_filter(frozen.linux->seccomp)) return KeptProgram();
  KeptProgram program = process::decode_program(TRY(container.kept_filter()));
  if (program.has_value()) return program;
  return Error::wrong_state(
      cat({container.path(), "/", container::kFilterName, " is not the filter that was kept there"}));
}

// Where init itself is now: the container's cgroup may hold no process any more, when a manager inside
// (systemd) has moved all of them below.
Result<UniqueFd> open_cgroup_of_init(const Container& container) {
  const std::string path = cat({"/proc/", std::to_string(container.record().pid), "/cgroup"});
  const std::string table = TRY(read_file(FdRef::cwd(), path.c_str()));
  for (const std::string_view line : split(table, '\n')) {
    if (line.starts_with("0::"))
      return cgroups::open_cgroup(container.record().cgroup_mount, std::string(line.substr(3)));
  }
  return Error::not_found("init has no cgroup2");
}

Result<InitProcess> spawn_in(const Container& container, SpawnRequest& request, const ExecOptions& options) {
  Result<InitProcess> spawned = spawn_init(request);
  if (spawned.has_value() || !may_join_cgroup_of_init(spawned.error().code(), options)) return spawned;
  const UniqueFd cgroup = TRY(open_cgroup_of_init(container));
  request.cgroup = cgroup.get();
  return spawn_init(request);
}

// From a session beside its manager nobody may be cloned into the manager's cgroups.
Status come_near(const Container& container) {
  if (container.record().systemd_unit.empty()) return {};
  return cgroups::enter_user_manager(TRY(cgroups::probe_manager()), TRY(cgroups::probe_facts()).own_path);
}

struct Inside {  // a process that is in the container, confined, and waits for `start`
  InitProcess process;
  UniqueFd sync;
  UniqueFd console;
};

Result<Inside> launch_inside(const Container& container,
                             const Pidfd& init,
                             ExecPlan& plan,
                             const ExecOptions& options,
                             FdRef interrupts) {
  sys::SocketPair sync = TRY(sys::socketpair_seqpacket());
  sys::SocketPair console;
  if (plan.console_slot.has_value() && options.console_socket.empty()) console = TRY(make_console_pair());

  Donations donations(plan.builder.lowest_donation());
  TRY(donations.put(plan::kSyncSlot, std::move(sync.theirs)));
  TRY(donations.put(plan.joins.process_slot, TRY(sys::dup_above(init.fd(), 3))));
  if (console.theirs.is_open()) TRY(donations.put(*plan.console_slot, std::move(console.theirs)));
  TRY(donations.open(plan.builder.donations()));

  const UniqueFd init_memfd = TRY(make_init_memfd());
  std::string image = plan.builder.finish();
  fill_descriptor_table(image, donations.table());
  const int plan_number = TRY(donations.keep(TRY(make_plan_memfd(image))));
  const UniqueFd cgroup = TRY(open_exec_cgroup(container, options.cgroup));

  SpawnRequest request;
  request.cgroup = cgroup.get();
  request.pid_namespace = plan.joins.pid_from_outside ? init.fd().get() : -1;
  request.is_last_child = true;  // an exec runs no hooks
  request.init_memfd = init_memfd;
  request.plan_memfd = FdRef(plan_number);
  request.sync = donations.slot(plan::kSyncSlot);
  request.inherited = donations.numbers();
  request.oom_score_adj = plan.oom_score_adj;
  request.cpus = plan.initial_cpus;
  request.may_be_frozen = options.ignore_paused;
  InitProcess process = TRY(spawn_in(container, request, options));
  TRY(cgroups::enter_rdt(container::rdt_group_of(container.record()), process.pid()));
  donations = Donations(0);  // only the process may hold its end of the conversation
  if (plan.joins.forks) process = TRY(expect_forked(sync.ours, process, interrupts));
  if (plan.waits) TRY(expect_line(sync.ours, protocol::Line::ready, process, interrupts));
  TRY(apply_rlimits(plan.rlimits, plan.user, process.pid()));
  return Inside{std::move(process), std::move(sync.ours), std::move(console.ours)};
}

Status start_inside(Inside& inside, const ExecOptions& options, FdRef interrupts) {
  TRY(send_pidfd(options.pidfd_socket, inside.process.pidfd(), "setns"));
  PidFile pid_file = TRY(PidFile::write(options.pid_file, inside.process.pid()));
  TRY(start_program(inside.sync, &inside.process, interrupts));
  pid_file.keep();
  return {};
}

}  // namespace

Result<int> exec_process(const container::Store& store, const ExecOptions& options) {
  const SignalQueue signals = TRY(SignalQueue::open());
  const Container container = TRY(Container::open(store, options.id, Container::Lock::none));
  const Result<Pidfd> init = container.init();
  const ContainerStatus status = container.status(init.has_value());
  TRY(check_status(status, options));
  latency::mark("record read, status found");
  const spec::Spec frozen = TRY(spec::read(TRY(container.frozen_config())));
  latency::mark("config.json read");
  const spec::Process process =
      TRY(plan_exec_process(frozen, options, TRY(read_process_file(options.process_file))));
  Host host = TRY(probe_host(process::labels_asked(&process, nullptr)));
  if (lists(frozen, spec::NamespaceType::user))
    host.setgroups_denied = is_setgroups_denied(std::to_string(container.record().pid));

  ExecPlan plan = TRY(plan_exec(frozen, process, options, container.state(status), host,
                                !container.record().no_new_keyring, TRY(kept_program(container, frozen))));
  latency::mark("host probed, plan made");
  const UniqueFd interrupts = TRY(open_interrupts());
  TRY(come_near(container));
  stay_on_processor();
  Inside inside = TRY(launch_inside(container, init.value(), plan, options, interrupts));
  latency::mark("namespaces joined, init's steps, up to ready");
  UniqueFd master;
  if (inside.console.is_open()) master = TRY(receive_master(inside.console));
  TRY(start_inside(inside, options, interrupts));
  latency::mark("program executed");
  if (options.detach) {
    inside.process.keep();
    return 0;
  }
  return wait_in_foreground(signals, inside.process, std::move(master), nullptr);
}

}  // namespace capsule::launch
