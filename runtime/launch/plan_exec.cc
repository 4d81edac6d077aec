#include "runtime/launch/plan_exec.h"

#include <algorithm>
#include <cerrno>

#include "runtime/base/text.h"
#include "runtime/plan/protocol.h"
#include "spec/read.h"
#include "spec/validate.h"
#include "spec/write.h"

namespace capsule::launch {
namespace {

void add_capabilities(spec::Process& process, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!process.capabilities.has_value()) process.capabilities.emplace();
  spec::Capabilities& sets = *process.capabilities;
  // Never to the inheritable set (CVE-2022-29162, R15).
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) {
    set->insert(set->end(), names.begin(), names.end());
  }
}

Result<spec::Process> from_file(const std::string& file) {
  spec::Process process = TRY(spec::read_process(file).context("process file"));
  TRY(spec::validate_process(process, "").context("process file"));
  return process;
}

void plan_exec_root(const spec::Spec& frozen, std::int64_t init_pid, plan::Builder& builder) {
  if (lists(frozen, spec::NamespaceType::mount)) return;  // joining it entered its root
  const std::uint16_t slot = builder.donate({.kind = plan::Donation::Kind::process_root,
                                             .source = cat({"/proc/", std::to_string(init_pid), "/root"})});
  builder.add("", plan::EnterRoot{.slot = slot});
}

Status check_exec_console(const spec::Process& process, const ExecOptions& options) {
  if (process.terminal && options.detach && options.console_socket.empty()) {
    return Error::wrong_state("cannot allocate tty if capsule will detach without setting console socket");
  }
  return {};
}

void plan_exec_console(const spec::Process& process, const ExecOptions& options, ExecPlan& plan) {
  if (!process.terminal) return;
  plan::Builder& builder = plan.builder;
  plan.console_slot = builder.donate({.kind = plan::Donation::Kind::console_socket,
                                      .source = options.console_socket,
                                      .field = "--console-socket"});
  plan::Console step;
  step.slot = *plan.console_slot;
  step.uid = process.user.uid;
  if (process.console_size.has_value()) {
    step.height = process.console_size->height;
    step.width = process.console_size->width;
  }
  builder.add("/process/terminal", step);
}

// First of all: once the container's mount namespace is joined, /proc is whatever the container made of it.
Status plan_labels(const spec::Process& process, const Host& host, bool new_keyring, plan::Builder& builder) {
  const process::LabelContext context{.modules = &host.modules};
  if (new_keyring) TRY(process::plan_key_label(process, context, builder));
  return process::plan_exec_labels(process, context, builder);
}

// execCPUAffinity: `initial` is ours while the process is made, so that it is born with it; `final` is set
// once it is in its cgroup.
Status plan_cpu_affinity(const spec::Process& process, ExecPlan& plan) {
  const spec::ExecCpuAffinity affinity = process.exec_cpu_affinity.value_or(spec::ExecCpuAffinity());
  if (!affinity.initial.has_value() && !affinity.final_set.has_value()) {
    plan.builder.add("", plan::CpuAffinity{});
    return {};
  }
  if (affinity.initial.has_value()) {
    plan.initial_cpus = TRY(process::parse_bit_list(*affinity.initial, "/process/execCPUAffinity/initial"));
  }
  if (!affinity.final_set.has_value()) return {};
  const std::vector<unsigned long> cpus =
      TRY(process::parse_bit_list(*affinity.final_set, "/process/execCPUAffinity/final"));
  plan.builder.add(
      "/process/execCPUAffinity/final",
      plan::CpuAffinity{.cpus = plan.builder.blob(cpus.data(), cpus.size() * sizeof(unsigned long))});
  return {};
}

process::ProcessContext exec_context(const spec::Spec& frozen,
                                     const spec::ContainerState& state,
                                     const Host& host) {
  process::ProcessContext context;
  context.in_user_namespace = lists(frozen, spec::NamespaceType::user);
  context.may_set_groups = !host.setgroups_denied && (context.in_user_namespace || host.privileged);
  if (host.listen_fds != 0)
    context.extra_env = {cat({"LISTEN_FDS=", std::to_string(host.listen_fds)}), "LISTEN_PID=1"};
  if (!frozen.linux.has_value()) return context;
  context.seccomp = &frozen.linux->seccomp;
  if (process::has_listener(*context.seccomp))
    context.container_state = spec::write_hook_state(state);  // the container's pid, not this process's
  return context;
}

}  // namespace

Result<spec::Process> plan_exec_process(const spec::Spec& frozen,
                                        const ExecOptions& options,
                                        const std::optional<std::string>& file) {
  if (file.has_value()) {
    spec::Process process = TRY(from_file(*file));
    process.terminal = process.terminal || options.tty;
    return process;
  }
  if (!frozen.process.has_value())
    return Error::invalid_config("/process", "process property must not be empty");
  spec::Process process = *frozen.process;
  process.terminal = options.tty;
  process.args = options.args;
  if (!options.cwd.empty()) process.cwd = options.cwd;
  process.env.insert(process.env.end(), options.env.begin(), options.env.end());
  if (options.uid.has_value()) process.user.uid = *options.uid;
  if (options.gid.has_value()) process.user.gid = *options.gid;
  process.user.additional_gids.insert(process.user.additional_gids.end(), options.additional_gids.begin(),
                                      options.additional_gids.end());
  if (!options.process_label.empty()) process.selinux_label = options.process_label;
  if (!options.apparmor.empty()) process.apparmor_profile = options.apparmor;
  if (options.no_new_privs.has_value()) process.no_new_privileges = *options.no_new_privs;
  add_capabilities(process, options.capabilities);
  TRY(spec::validate_process(process, ""));
  return process;
}

bool may_join_cgroup_of_init(int err, const ExecOptions& options) {
  return options.cgroup.empty() && (err == EBUSY || err == EOPNOTSUPP);
}

Result<ExecPlan> plan_exec(const spec::Spec& frozen,
                           const spec::Process& process,
                           const ExecOptions& options,
                           const spec::ContainerState& state,
                           const Host& host,
                           bool new_keyring,
                           const std::optional<process::SeccompProgram>& kept) {
  TRY(check_exec_console(process, options));
  if (frozen.linux.has_value()) TRY(spec::check_ids_are_mapped(process.user, *frozen.linux, "/process/user"));
  ExecPlan plan;
  plan.oom_score_adj = process.oom_score_adj;
  plan::Builder& builder = plan.builder;
  builder.preserve_fds(TRY(count_preserved_fds(host, options.preserve_fds)));
  process::ProcessContext context = exec_context(frozen, state, host);
  context.program = &kept;

  TRY(plan_labels(process, host, new_keyring, builder));
  plan.joins = plan_joins(frozen, host, builder);
  plan_exec_root(frozen, state.pid, builder);
  if (new_keyring) builder.add("", plan::SessionKeyring{.name = builder.text(cat({"_ses.", state.id}))});
  plan_exec_console(process, options, plan);
  TRY(plan_cpu_affinity(process, plan));
  plan.user = process.user;
  if (context.in_user_namespace) plan.rlimits = TRY(process::plan_rlimits(process.rlimits));
  TRY(process::plan_confinement(process, frozen.linux.has_value() ? &*frozen.linux : nullptr, context,
                                builder));
  plan.waits = plan.joins.forks || !plan.rlimits.empty() || plan.console_slot.has_value();
  if (plan.waits) builder.add("", plan::Gate{.mode = plan::GateMode::sync});
  builder.add("", plan::Expect{.line = static_cast<std::uint64_t>(protocol::Line::start)});
  TRY(process::plan_exec(process, context, builder));
  return plan;
}

}  // namespace capsule::launch
