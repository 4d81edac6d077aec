// `process`: config.md#process and what follows it there.
#include "spec/read_parts.h"

namespace capsule::spec {
namespace {

Result<ConsoleSize> parse_console_size(const Cursor& at) {
  ConsoleSize size;
  size.height = TRY(at.required<std::uint16_t>("height"));
  size.width = TRY(at.required<std::uint16_t>("width"));
  return size;
}

// uid and gid count as 0 if absent: the schema does not require them, and every other runtime reads them so.
Result<User> parse_user(const Cursor& at) {
  User user;
  user.uid = TRY(at.value_or("uid", std::uint32_t{0}));
  user.gid = TRY(at.value_or("gid", std::uint32_t{0}));
  user.umask = TRY(at.optional<std::uint32_t>("umask"));
  user.additional_gids = TRY(at.values<std::uint32_t>("additionalGids"));
  return user;
}

Result<Capabilities> parse_capabilities(const Cursor& at) {
  Capabilities capabilities;
  capabilities.bounding = TRY(at.values<std::string>("bounding"));
  capabilities.effective = TRY(at.values<std::string>("effective"));
  capabilities.inheritable = TRY(at.values<std::string>("inheritable"));
  capabilities.permitted = TRY(at.values<std::string>("permitted"));
  capabilities.ambient = TRY(at.values<std::string>("ambient"));
  return capabilities;
}

Result<Rlimit> parse_rlimit(const Cursor& at) {
  Rlimit rlimit;
  rlimit.type = TRY(at.required<std::string>("type"));
  rlimit.soft = TRY(at.required<std::uint64_t>("soft"));
  rlimit.hard = TRY(at.required<std::uint64_t>("hard"));
  return rlimit;
}

Result<Scheduler> parse_scheduler(const Cursor& at) {
  Scheduler scheduler;
  scheduler.policy =
      TRY(at.value_or("policy", std::string()));  // absent: validate_process has runc's words for it
  scheduler.nice = TRY(at.optional<std::int32_t>("nice"));
  scheduler.priority = TRY(at.optional<std::int32_t>("priority"));
  scheduler.flags = TRY(at.values<std::string>("flags"));
  scheduler.runtime = TRY(at.optional<std::uint64_t>("runtime"));
  scheduler.deadline = TRY(at.optional<std::uint64_t>("deadline"));
  scheduler.period = TRY(at.optional<std::uint64_t>("period"));
  return scheduler;
}

Result<IoPriority> parse_io_priority(const Cursor& at) {
  IoPriority io_priority;
  io_priority.io_class = TRY(at.required<std::string>("class"));
  io_priority.priority = TRY(at.value_or("priority", std::int32_t{0}));
  return io_priority;
}

Result<ExecCpuAffinity> parse_exec_cpu_affinity(const Cursor& at) {
  ExecCpuAffinity affinity;
  affinity.initial = TRY(at.text("initial"));
  affinity.final_set = TRY(at.text("final"));
  return affinity;
}

}  // namespace

Result<Process> parse_process(const Cursor& at) {
  Process process;
  process.terminal = TRY(at.value_or("terminal", false));
  process.console_size = TRY(at.object("consoleSize", parse_console_size));
  process.cwd = TRY(at.required<std::string>("cwd"));
  process.env = TRY(at.values<std::string>("env"));
  process.args = TRY(at.values<std::string>("args"));
  process.user = TRY(at.object("user", parse_user)).value_or(User{});
  process.rlimits = TRY(at.objects("rlimits", parse_rlimit));
  process.apparmor_profile = TRY(at.text("apparmorProfile"));
  process.capabilities = TRY(at.object("capabilities", parse_capabilities));
  process.no_new_privileges = TRY(at.value_or("noNewPrivileges", false));
  process.oom_score_adj = TRY(at.optional<std::int32_t>("oomScoreAdj"));
  process.scheduler = TRY(at.object("scheduler", parse_scheduler));
  process.selinux_label = TRY(at.text("selinuxLabel"));
  process.io_priority = TRY(at.object("ioPriority", parse_io_priority));
  process.exec_cpu_affinity = TRY(at.object("execCPUAffinity", parse_exec_cpu_affinity));
  return process;
}

}  // namespace capsule::spec
