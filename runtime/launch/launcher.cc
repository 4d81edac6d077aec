#include "runtime/launch/launcher.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/clock.h"
#include "runtime/base/latency.h"
#include "runtime/base/text.h"
#include "runtime/launch/busy.h"
#include "runtime/launch/container_cgroup.h"
#include "runtime/launch/donations.h"
#include "runtime/launch/hooks.h"
#include "runtime/launch/id_maps.h"
#include "runtime/launch/init_image.h"
#include "runtime/launch/namespace_thread.h"
#include "runtime/launch/notify.h"
#include "runtime/launch/processors.h"
#include "runtime/launch/rlimits.h"
#include "runtime/launch/sync_socket.h"
#include "runtime/plan/view.h"
#include "spec/json_extent.h"

namespace capsule::launch {
namespace {

using protocol::Line;

std::string_view name_of(CgroupManager manager) {
  switch (manager) {
    case CgroupManager::cgroupfs:
      return "cgroupfs";
    case CgroupManager::systemd:
      return "systemd";
    case CgroupManager::disabled:
      return "disabled";
  }
  return "cgroupfs";
}

spec::Record describe_record(const Bundle& bundle,
                             const LaunchOptions& options,
                             const CreatePlan& plan,
                             const Host& host) {
  spec::Record record;
  record.id = options.id;
  record.bundle = bundle.path;
  record.rootfs = bundle.rootfs;
  record.created = now_rfc3339(Fraction::nanoseconds);
  record.cgroup_path = plan.cgroup.path;
  record.cgroup_mount = host.cgroups.mount;
  record.cgroup_manager = name_of(options.cgroup_manager);
  if (plan.cgroup.scope.has_value()) record.systemd_unit = plan.cgroup.scope->name.unit;
  record.rdt_group = plan.rdt.group;
  record.rdt_group_is_ours = plan.rdt.creates;
  record.rdt_monitor = plan.rdt.monitor;
  record.own_pid_namespace = plan.namespaces.has_pid && plan.namespaces.pid_path.empty();
  record.no_new_keyring = options.no_new_keyring;
  record.start_needs_config = !bundle.spec.process.has_value() || !bundle.spec.hooks.poststart.empty();
  record.delete_needs_config = !bundle.spec.hooks.poststop.empty();
  record.owner_uid = host.euid;
  record.annotations = bundle.spec.annotations;
  return record;
}

Result<UniqueFd> make_gate(const container::Record& record) {
  UniqueFd gate = TRY(sys::unix_socket(SOCK_SEQPACKET));
  TRY(sys::unix_bind(gate, record.dir(), container::kGateName));
  TRY(sys::listen(gate, 8));
  return gate;
}

// All that a launch in progress holds, so that the functions below need not pass ten arguments around.
struct Launch {
  const LaunchOptions& options;
  const Host& host;
  Bundle& bundle;
  CreatePlan& plan;
  container::Record& record;
  spec::Record& data;
  cgroups::Cgroup& cgroup;
  PoststopOnFailure& poststop;
  cgroups::RdtOwner& rdt;
  Donations& donations;
  FdRef interrupts;
  NamespaceThread& namespaces;
  std::string image;  // the encoded plan
  UniqueFd sync;      // our end
  ns::MovedNetDevices net_devices{};
  std::string filter{};  // as it is sent and kept
};

Status open_descriptors(Launch& launch, plan::GateMode gate, UniqueFd child_sync, UniqueFd console) {
  TRY(launch.donations.put(plan::kSyncSlot, std::move(child_sync)));
  if (gate == plan::GateMode::listen)
    TRY(launch.donations.put(plan::kGateSlot, TRY(make_gate(launch.record))));
  if (console.is_open()) TRY(launch.donations.put(*launch.plan.console_slot, std::move(console)));
  return launch.donations.open(launch.plan.builder.donations());
}

Result<InitProcess> spawn(Launch& launch) {
  const UniqueFd init_memfd = TRY(make_init_memfd());
  fill_descriptor_table(launch.image, launch.donations.table());
  const int plan_number = TRY(launch.donations.keep(TRY(make_plan_memfd(launch.image))));

  UniqueFd pid_namespace;
  const std::string& pid_path = launch.plan.namespaces.pid_path;
  if (!pid_path.empty())
    pid_namespace = TRY(sys::openat(FdRef::cwd(), pid_path.c_str(), O_RDONLY).context("join namespace"));

  SpawnRequest request;
  request.clone_flags = launch.plan.namespaces.clone_flags;
  request.namespaces = &launch.namespaces;
  request.cgroup = launch.cgroup.dir().get();
  request.pid_namespace = pid_namespace.get();
  request.init_memfd = init_memfd;
  request.plan_memfd = FdRef(plan_number);
  request.sync = launch.donations.slot(plan::kSyncSlot);
  request.inherited = launch.donations.numbers();
  request.waits_for_maps = (launch.plan.namespaces.clone_flags & CLONE_NEWUSER) != 0;
  request.closed_while_waiting = {launch.sync.get(), launch.record.dir().get()};
  request.root_uid = launch.plan.root_uid;
  request.root_gid = launch.plan.root_gid;
  if (launch.bundle.spec.process.has_value())
    request.oom_score_adj = launch.bundle.spec.process->oom_score_adj;
  return spawn_init(request);
}

Status run_create_hooks(Launch& launch, pid_t pid) {
  launch.poststop.owe(launch.bundle, launch.options.id, launch.interrupts);
  const spec::Hooks& hooks = launch.bundle.spec.hooks;
  const std::string state =
      spec::write_hook_state(hook_state(launch.bundle, launch.options.id, pid, "creating"));
  TRY(run_hooks({"prestart", &hooks.prestart, state, launch.bundle.path, launch.interrupts}));
  return run_hooks({"createRuntime", &hooks.create_runtime, state, launch.bundle.path, launch.interrupts});
}

// By the entry of init's in /proc: init is our child and not waited for, so its number is nobody else's, and
// nothing of the container runs in it yet (R24).
Status move_net_devices(Launch& launch, pid_t pid) {
  const std::string path = cat({"/proc/", std::to_string(pid), "/ns/net"});
  UniqueFd space = TRY(sys::openat(FdRef::cwd(), path.c_str(), O_RDONLY).context("/linux/netDevices"));
  launch.net_devices = TRY(ns::MovedNetDevices::move(launch.plan.net_devices, std::move(space)));
  return {};
}

// What init told us about is now ours to do.
Status answer(Launch& launch, Line said, pid_t pid) {
  if (said == Line::namespaces_ready) return move_net_devices(launch, pid);
  if (said == Line::rootfs_mounted) return run_create_hooks(launch, pid);
  return {};
}

// The parent's part of the script: what the plan's lines ask of us, in the plan's order.
Status follow_script(Launch& launch, InitProcess& init) {
  const plan::View view = plan::View::verify(launch.image.data(), launch.image.size());
  if (!view.ok()) return Error::peer("the plan does not decode; this is a bug in capsule");
  for (const plan::StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    switch (step->kind) {
      case plan::StepKind::fork_init:
        init = TRY(expect_forked(launch.sync, init, launch.interrupts));
        break;
      case plan::StepKind::say: {
        const auto line = static_cast<Line>(plan::as<plan::Say>(step).line);
        TRY(expect_line(launch.sync, line, init, launch.interrupts));
        TRY(answer(launch, line, init.pid()));
        break;
      }
      case plan::StepKind::expect: {
        const auto line = static_cast<Line>(plan::as<plan::Expect>(step).line);
        if (line == Line::maps_written) TRY(write_id_maps(launch.plan, init.pid()));
        TRY(line == Line::filter ? send_filter(launch.sync, launch.filter, init)
                                 : send_line(launch.sync, line, init));
        break;
      }
      case plan::StepKind::gate:
        return expect_line(launch.sync, Line::ready, init, launch.interrupts);
      default:
        break;
    }
  }
  return {};
}

std::string filter_in_plan(const std::string& image) {
  const plan::View view = plan::View::verify(image.data(), image.size());
  for (const plan::StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    if (step->kind != plan::StepKind::seccomp) continue;
    const auto& filter = plan::as<plan::Seccomp>(step);
    const auto* bytes = static_cast<const char*>(view.bytes(filter.program));
    return process::encode_program(filter.flags, {bytes, filter.program.size});
  }
  return {};
}

// Init is told it when its plan asks for it.
Status compile_filter(Launch& launch, const spec::Seccomp& profile) {
  if (!launch.plan.filter_is_sent) {
    launch.filter = filter_in_plan(launch.image);
    return {};
  }
  const process::SeccompProgram program = TRY(process::plan_seccomp(profile));
  launch.filter = process::encode_program(program.flags, program.filter);
  return {};
}

// For the container's later processes: a profile as the filter that it becomes, the rest as it was read.
Status keep_config(Launch& launch) {
  const Boxed<spec::Linux>& part = launch.bundle.spec.linux;
  if (!part.has_value() || !process::asks_for_filter(part->seccomp))
    return launch.record.keep_config(launch.bundle.config);
  TRY(compile_filter(launch, *part->seccomp));
  TRY(launch.record.keep_filter(launch.filter));
  return launch.record.keep_config(spec::without_seccomp_rules(launch.bundle.config));
}

// While init is busy; committed once it is ready.
Status prepare_record(container::Record& record, spec::Record& data, const InitProcess& init) {
  data.pid = init.pid();
  // A kernel counts these inodes from the same number at each boot, so a record that survives one must not
  // tell them.
  data.pidfd_inode = record.is_in_memory() ? read_pidfd_inode(init.pidfd()) : 0;
  data.start_time = data.pidfd_inode != 0 ? 0 : read_start_time(init.pid()).value_or(0);
  return record.prepare(data);
}

Status converse(Launch& launch, InitProcess& init) {
  TRY(launch.rdt.enter(init.pid()));  // before it has touched any memory worth the name
  if ((launch.plan.namespaces.clone_flags & CLONE_NEWUSER) != 0) {
    TRY(write_id_maps(launch.plan, init.pid()));
    TRY(send_line(launch.sync, Line::maps_written, init));
  }
  // Init is busy mounting meanwhile; it makes its device nodes under rules that allow mknod of anything.
  TRY(apply_devices(launch.plan.cgroup, launch.cgroup, launch.host));
  TRY(keep_config(launch));
  TRY(prepare_record(launch.record, launch.data, init));
  latency::mark("device program and record, beside init");
  TRY(follow_script(launch, init));
  const Boxed<spec::Process>& process = launch.bundle.spec.process;
  return process.has_value() ? apply_rlimits(launch.plan.rlimits, process->user, init.pid()) : Status();
}

}  // namespace

Status explain_death(Status done, FdRef cgroup) {
  if (done.has_value() || cgroup.get() < 0) return done;
  if (cgroups::read_oom_kills(cgroup) > 0)
    return std::move(done).error().with({"container init was OOM-killed (memory limit too low?)"});
  // Not even its program could be loaded, or its arguments: the kernel refuses that rather than kill.
  const bool lacks_memory = done.error().code() == ENOMEM || done.error().code() == E2BIG;
  if (lacks_memory && cgroups::is_at_memory_limit(cgroup))
    return std::move(done).error().with({"container init found no memory (memory limit too low?)"});
  return done;
}

void Launched::keep() {
  poststop.keep();
  pid_file.keep();
  init.keep();
  net_devices.keep();
  rdt.keep();
  place.keep();
  record.keep();
}

Result<sys::SocketPair> make_console_pair() {
  return sys::socketpair_seqpacket();
}

Result<Launched> launch_init(const container::Store& store,
                             const LaunchOptions& options,
                             plan::GateMode gate,
                             FdRef interrupts) {
  TRY(container::check_id(options.id));
  stay_on_processor();
  NamespaceThread namespaces;
  Bundle bundle = TRY(load_bundle(options, [&](const std::vector<spec::Namespace>& listed) {
    const std::uint64_t ahead = ns::flags_made_ahead(listed);
    if (ahead == 0) return;
    if (!is_machine_busy()) return namespaces.begin(ahead);
    leave_processor();  // who has to share one is better moved about
  }));
  latency::mark("config.json read and checked");
  TRY(check_joined_maps(bundle.spec));
  Host host = TRY(probe_host_for(bundle.spec, options));
  if (!TRY(find_service_manager()).empty())
    host.notify_directory = cat({store.root(), "/", options.id, "/", kNotifyDirectory});
  CreatePlan plan = TRY(plan_create(bundle, options, host, gate, FilterTime::beside_init));
  spec::Record data = describe_record(bundle, options, plan, host);
  latency::mark("host probed, plan made");

  TRY(refuse_occupied_cgroup(store, options.id, plan.cgroup, host));

  // From here on something exists, and each owner undoes its part when it goes out of scope.
  PoststopOnFailure poststop;
  container::Record record = TRY(container::Record::begin(store, data));
  if (plan.has_notify_socket) TRY(make_notify_directory(record.dir()));
  latency::mark("state directory");
  ContainerCgroup place = TRY(make_container_cgroup(plan, bundle.spec, host, interrupts));
  cgroups::Cgroup& cgroup = place.cgroup;
  data.cgroup_path = plan.cgroup.path;
  cgroups::RdtOwner rdt = TRY(cgroups::RdtOwner::create(plan.rdt));
  latency::mark("cgroup");

  sys::SocketPair sync = TRY(sys::socketpair_seqpacket());
  sys::SocketPair console;
  if (plan.console_slot.has_value() && options.console_socket.empty()) console = TRY(make_console_pair());
  Donations donations(plan.builder.lowest_donation());
  Launch launch{options,
                host,
                bundle,
                plan,
                record,
                data,
                cgroup,
                poststop,
                rdt,
                donations,
                interrupts,
                namespaces,
                plan.builder.finish(),
                std::move(sync.ours)};
  TRY(open_descriptors(launch, gate, std::move(sync.theirs), std::move(console.theirs)));

  latency::mark("descriptors for init");
  InitProcess init = TRY(spawn(launch));
  latency::mark("namespaces, capsule-init executed");
  place.scope.release_keeper();
  donations = Donations(
      0);  // our copies: only init may hold its end of the conversation, or its death would go unnoticed
  TRY(explain_death(converse(launch, init), cgroup.dir()));
  if (init.pid() != data.pid) TRY(prepare_record(record, data, init));  // forked: another process goes on
  latency::mark("init's steps, up to ready");
  TRY(record.commit());
  TRY(send_pidfd(options.pidfd_socket, init.pidfd(), "standard"));
  PidFile pid_file = TRY(PidFile::write(options.pid_file, init.pid()));
  return Launched{std::move(bundle),   std::move(poststop),    std::move(record),
                  std::move(place),    std::move(rdt),         std::move(launch.net_devices),
                  std::move(init),     std::move(launch.sync), std::move(console.ours),
                  std::move(pid_file), std::move(data)};
}

}  // namespace capsule::launch
