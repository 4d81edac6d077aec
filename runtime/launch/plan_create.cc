#include "runtime/launch/plan_create.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/base/user_namespace.h"
#include "runtime/launch/container_cgroup.h"
#include "runtime/launch/notify.h"
#include "runtime/plan/protocol.h"

namespace capsule::launch {
namespace {

using plan::Builder;
using protocol::Line;

bool has_admin_capability() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) < 0) return false;
  return (sets[0].effective & (1U << unsigned{CAP_SYS_ADMIN})) != 0;
}

std::uint32_t inherited_listen_fds() {
  const char* count = std::getenv("LISTEN_FDS");
  return count == nullptr ? 0 : parse_integer<std::uint32_t>(count).value_or(0);
}

// What an ordinary user may write without anybody's help, if it gives up setgroups first
// (user_namespaces(7)). Whatever else it asks for is written by newgidmap, which leaves setgroups as it is.
bool maps_one_id(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  return mappings.size() == 1 && mappings.front().size == 1 && mappings.front().host_id == id;
}

// A joined namespace is not ours to ask: privileges over it are no promise, but the best guess there is.
bool may_set_groups(const CreatePlan& plan, const Host& host) {
  const bool may = plan.namespaces.new_user ? !plan.denies_setgroups : host.privileged;
  return may && !host.setgroups_denied;
}

void plan_id_maps(const spec::Linux& l, const Host& host, CreatePlan& plan) {
  if (!plan.namespaces.new_user) return;
  plan.uid_map = ns::describe_id_map(l.uid_mappings);
  plan.gid_map = ns::describe_id_map(l.gid_mappings);
  if (!ns::is_mapped(l.uid_mappings, 0) && !l.uid_mappings.empty())
    plan.root_uid = l.uid_mappings.front().container_id;
  if (!ns::is_mapped(l.gid_mappings, 0) && !l.gid_mappings.empty())
    plan.root_gid = l.gid_mappings.front().container_id;
  plan.denies_setgroups = host.euid != 0 && maps_one_id(l.gid_mappings, host.egid);
}

ns::HostFacts namespace_facts(const Bundle& bundle,
                              const LaunchOptions& options,
                              const Host& host,
                              const CgroupPlan& cgroup) {
  return {.privileged = host.privileged,
          .in_user_namespace = host.in_user_namespace,
          .euid = host.euid,
          .egid = host.egid,
          .bundle = bundle.path,
          .cgroup_mount = host.cgroups.mount,
          .cgroup_path = cgroup.path,
          .no_pivot = options.no_pivot};
}

// terminal(true) needs somebody who takes the other end.
Status check_console(const spec::Spec& spec, const LaunchOptions& options, plan::GateMode gate) {
  const bool terminal = spec.process.has_value() && spec.process->terminal;
  const bool detaches = gate == plan::GateMode::listen || options.detach;
  if (terminal && detaches && options.console_socket.empty()) {
    return Error::wrong_state("cannot allocate tty if capsule will detach without setting console socket");
  }
  if (!options.console_socket.empty() && !(detaches && terminal)) {
    return Error::wrong_state("cannot use console socket if capsule will not detach or allocate tty");
  }
  return {};
}

// Everything a container is made of needs privileges; an ordinary user has them in a user namespace alone.
Status check_privileges(const ns::NamespaceSet& namespaces, const Host& host) {
  if (host.privileged || namespaces.has_user) return {};
  return Error::invalid_config("/linux/namespaces", "rootless container requires user namespaces");
}

void plan_console(const spec::Process& process, const LaunchOptions& options, CreatePlan& plan) {
  if (!process.terminal) return;
  Builder& builder = plan.builder;
  plan.console_slot = builder.donate({.kind = plan::Donation::Kind::console_socket,
                                      .source = options.console_socket,
                                      .field = "--console-socket"});
  plan::Console step;
  step.slot = *plan.console_slot;
  step.mount_console = 1;
  step.uid = process.user.uid;
  if (process.console_size.has_value()) {
    step.height = process.console_size->height;
    step.width = process.console_size->width;
  }
  builder.add("/process/terminal", step);
}

std::vector<std::string> listen_environment(const Host& host) {
  if (host.listen_fds == 0) return {};
  return {cat({"LISTEN_FDS=", std::to_string(host.listen_fds)}), "LISTEN_PID=1"};
}

// Hooks inside are init's own; but once one may have run, the launcher owes a failed create its poststop
// hooks.
bool concern_the_launcher(const spec::Hooks& hooks) {
  return !hooks.prestart.empty() || !hooks.create_runtime.empty() ||
         (!hooks.create_container.empty() && !hooks.poststop.empty());
}

// Only into a mount namespace of the container's own: elsewhere /run is somebody else's.
Status plan_notify_socket(const spec::Spec& spec,
                          const Host& host,
                          const ns::HostFacts& facts,
                          CreatePlan& plan) {
  const std::uint64_t made =
      plan.namespaces.clone_flags | plan.namespaces.unshare_flags | plan.namespaces.fork_flags;
  if (host.notify_directory.empty() || (made & CLONE_NEWNS) == 0 || !spec.process.has_value()) return {};
  plan.has_notify_socket = true;
  const spec::Mount mount{.destination = kNotifyTarget,
                          .type = "bind",
                          .source = host.notify_directory,
                          .options = {"bind", "ro", "nosuid", "nodev", "noexec"}};
  return ns::plan_extra_mount(spec, facts, mount, "NOTIFY_SOCKET", plan.builder);
}

void plan_runtime_hooks(const spec::Hooks& hooks, Builder& builder) {
  if (!concern_the_launcher(hooks)) return;
  builder.add("/hooks", plan::Say{.line = static_cast<std::uint64_t>(Line::rootfs_mounted)});
  builder.add("/hooks", plan::Expect{.line = static_cast<std::uint64_t>(Line::hooks_done)});
}

Status plan_keyring(const spec::Spec& spec,
                    const LaunchOptions& options,
                    const Host& host,
                    Builder& builder) {
  if (options.no_new_keyring) return {};
  if (spec.process.has_value())
    TRY(process::plan_key_label(*spec.process, {.modules = &host.modules}, builder));
  builder.add("", plan::SessionKeyring{.name = builder.text(cat({"_ses.", options.id}))});
  return {};
}

// All file systems: from the host's tree to the container's own root.
Status plan_filesystems(const Bundle& bundle,
                        const LaunchOptions& options,
                        const Host& host,
                        const ns::HostFacts& facts,
                        CreatePlan& plan) {
  const spec::Spec& spec = bundle.spec;
  Builder& builder = plan.builder;
  TRY(ns::plan_root(spec, facts, builder));
  TRY(ns::plan_mounts(spec, facts, builder));
  TRY(plan_notify_socket(spec, host, facts, plan));
  ns::plan_loopback(plan.namespaces, builder);
  TRY(ns::plan_devices(spec, facts, builder));
  plan_runtime_hooks(spec.hooks, builder);
  plan_container_hooks(spec.hooks.create_container, "/hooks/createContainer",
                       hook_state(bundle, options.id, 0, "creating"), {}, builder);
  TRY(ns::plan_kernel_parameters(spec, builder));
  if (spec.process.has_value()) plan_console(*spec.process, options, plan);
  TRY(ns::plan_paths(spec, facts, builder));
  if (spec.process.has_value())
    TRY(process::plan_exec_labels(*spec.process, {.modules = &host.modules}, builder));
  return ns::plan_pivot(spec, facts, builder);
}

process::ProcessContext process_context(const Bundle& bundle,
                                        const LaunchOptions& options,
                                        const Host& host,
                                        const CreatePlan& plan) {
  process::ProcessContext context;
  context.in_user_namespace = plan.namespaces.has_user;
  context.may_set_groups = may_set_groups(plan, host);
  context.extra_env = listen_environment(host);
  if (plan.has_notify_socket) context.extra_env.emplace_back(kNotifyVariable);
  if (bundle.spec.linux.has_value()) context.seccomp = &bundle.spec.linux->seccomp;
  context.filter_is_sent = plan.filter_is_sent;
  if (context.seccomp != nullptr && process::has_listener(*context.seccomp)) {
    const AroundPid state = split_at_pid(hook_state(bundle, options.id, 0, "creating"));
    context.container_state = cat({state.before, std::string_view(&plan::kPidMark, 1), state.after});
  }
  return context;
}

bool sends_filter(const spec::Spec& spec, FilterTime filter) {
  return filter == FilterTime::beside_init && spec.process.has_value() &&
         process::may_be_sent(linux_of(spec).seccomp);
}

// Only what is not named from the top of the hierarchy depends on where we are.
cgroups::Own asks_for_own_cgroup(const spec::Linux& l, const LaunchOptions& options) {
  const bool is_absolute = l.cgroups_path.value_or("").starts_with('/');
  const bool is_of_systemd = options.cgroup_manager == CgroupManager::systemd;
  return is_absolute && !is_of_systemd ? cgroups::Own::left_out : cgroups::Own::asked;
}

}  // namespace

Result<std::uint32_t> count_preserved_fds(const Host& host, std::uint32_t preserve_fds) {
  constexpr std::uint64_t kMost = 1U << 30U;  // the kernel's own limit for fs.nr_open is about twice that
  const std::uint64_t count = std::uint64_t{host.listen_fds} + preserve_fds;
  if (count <= kMost) return static_cast<std::uint32_t>(count);
  return Error::unsupported(cat({"--preserve-fds ", std::to_string(preserve_fds), " with LISTEN_FDS=",
                                 std::to_string(host.listen_fds), ": no process has so many descriptors"}));
}

Result<Host> probe_host(const process::LabelsAsked& labels) {
  Host host;
  host.privileged = has_admin_capability();
  host.euid = ::geteuid();
  host.egid = ::getegid();
  host.in_user_namespace = is_in_user_namespace();
  host.setgroups_denied = host.in_user_namespace && is_setgroups_denied();
  host.listen_fds = inherited_listen_fds();
  host.modules = TRY(process::probe_security_modules(labels));
  return host;
}

Result<Host> probe_host_for(const spec::Spec& spec, const LaunchOptions& options) {
  const spec::Linux& l = linux_of(spec);
  Host host = TRY(probe_host(process::labels_asked(spec.process.has_value() ? &*spec.process : nullptr, &l)));
  host.cgroups = TRY(cgroups::probe_facts(asks_for_own_cgroup(l, options)));
  if (l.intel_rdt.has_value()) host.rdt = TRY(cgroups::probe_rdt(*l.intel_rdt, options.id));
  if (options.cgroup_manager == CgroupManager::systemd) host.systemd = TRY(cgroups::probe_manager());
  return host;
}

spec::ContainerState hook_state(const Bundle& bundle,
                                const std::string& id,
                                std::int64_t pid,
                                std::string_view status) {
  spec::ContainerState state;
  state.oci_version = "1.3.0";
  state.id = id;
  state.pid = pid;
  state.status = status;
  state.bundle = bundle.path;
  state.rootfs = bundle.rootfs;
  state.annotations = bundle.spec.annotations;
  return state;
}

AroundPid split_at_pid(spec::ContainerState state) {
  constexpr std::int64_t kMark =
      4'611'686'018'427'387'903;  // no pid is that large, and nothing else in the document
  state.pid = kMark;
  const std::string document = spec::write_hook_state(state);
  const std::string mark = std::to_string(kMark);
  const std::size_t at = document.find(mark);
  return {document.substr(0, at), document.substr(at + mark.size())};
}

void plan_container_hooks(const std::vector<spec::Hook>& hooks,
                          std::string_view pointer,
                          spec::ContainerState pending,
                          const std::vector<std::string>& default_env,
                          Builder& builder) {
  if (hooks.empty()) return;
  const AroundPid state = split_at_pid(std::move(pending));
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const spec::Hook& hook = hooks[i];
    plan::RunHook step;
    step.path = builder.text(hook.path);
    step.args = builder.list(hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args);
    step.env = builder.list(hook.env.value_or(default_env));
    step.state_before_pid = builder.text(state.before);
    step.state_after_pid = builder.text(state.after);
    step.timeout_ms = hook.timeout.has_value() ? std::int64_t{*hook.timeout} * 1000 : -1;
    builder.add(cat({pointer, "/", std::to_string(i)}), step);
  }
}

Result<CreatePlan> plan_create(const Bundle& bundle,
                               const LaunchOptions& options,
                               const Host& host,
                               plan::GateMode gate,
                               FilterTime filter) {
  const spec::Spec& spec = bundle.spec;
  TRY(check_console(spec, options, gate));

  CreatePlan plan;
  plan.namespaces = TRY(ns::plan_namespaces(spec, host.privileged));
  TRY(check_privileges(plan.namespaces, host));
  plan.cgroup = TRY(plan_cgroup(spec, options, host));
  if (linux_of(spec).intel_rdt.has_value())
    plan.rdt = TRY(cgroups::plan_rdt(*linux_of(spec).intel_rdt, options.id, host.rdt));
  plan_id_maps(linux_of(spec), host, plan);
  const ns::HostFacts facts = namespace_facts(bundle, options, host, plan.cgroup);
  plan.net_devices = TRY(ns::plan_net_devices(spec, facts));

  Builder& builder = plan.builder;
  builder.preserve_fds(TRY(count_preserved_fds(host, options.preserve_fds)));
  builder.add("", plan::CpuAffinity{});
  ns::plan_namespace_steps(plan.namespaces, spec, builder);
  ns::plan_net_device_steps(plan.net_devices, builder);
  TRY(process::check_mount_label(linux_of(spec).mount_label, host.modules));
  TRY(plan_keyring(spec, options, host, builder));
  TRY(plan_filesystems(bundle, options, host, facts, plan));
  plan.filter_is_sent = sends_filter(spec, filter);
  if (plan.filter_is_sent) TRY(process::check_seccomp(*spec.linux->seccomp));
  const process::ProcessContext context = process_context(bundle, options, host, plan);
  if (spec.process.has_value()) {
    if (context.in_user_namespace) plan.rlimits = TRY(process::plan_rlimits(spec.process->rlimits));
    TRY(process::plan_confinement(*spec.process, spec.linux.has_value() ? &*spec.linux : nullptr, context,
                                  builder));
  }
  builder.add("", plan::Gate{.mode = gate});
  if (!spec.process.has_value()) return plan;
  plan_container_hooks(spec.hooks.start_container, "/hooks/startContainer",
                       hook_state(bundle, options.id, 0, "created"),
                       process::plan_environment(*spec.process, context.extra_env), builder);
  builder.add("", plan::Expect{.line = static_cast<std::uint64_t>(Line::start)});
  TRY(process::plan_exec(*spec.process, context, builder));
  return plan;
}

}  // namespace capsule::launch
