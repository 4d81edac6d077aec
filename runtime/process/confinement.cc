// The order in which init gives up what it may do. Each step needs a right that a later one takes away.
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/process/environment.h"
#include "runtime/process/plan.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

constexpr std::uint32_t kDefaultUmask = 022;

Status plan_scheduling(const spec::Process& process,
                       const spec::Linux* linux,
                       std::string_view pointer,
                       plan::Builder& builder) {
  if (linux != nullptr && linux->personality.has_value()) {
    TRY(plan_personality(*linux->personality, "/linux/personality", builder));
  }
  if (process.scheduler.has_value())
    TRY(plan_scheduler(*process.scheduler, cat({pointer, "/scheduler"}), builder));
  if (process.io_priority.has_value())
    TRY(plan_io_priority(*process.io_priority, cat({pointer, "/ioPriority"}), builder));
  if (linux != nullptr && linux->memory_policy.has_value()) {
    TRY(plan_memory_policy(*linux->memory_policy, "/linux/memoryPolicy", builder));
  }
  return {};
}

void set_capabilities(const spec::Process& process, std::string_view pointer, plan::Confine& step) {
  std::vector<std::string> warnings;
  const CapabilitySets sets = plan_capabilities(process.capabilities, warnings);
  for (const std::string& warning : warnings)
    log::warning(cat({pointer, "/", warning}));
  step.bounding = sets.bounding;
  step.effective = sets.effective;
  step.permitted = sets.permitted;
  step.inheritable = sets.inheritable;
  step.ambient = sets.ambient;
}

Status plan_identity(const spec::Process& process, const ProcessContext& context, plan::Builder& builder) {
  const spec::User& user = process.user;
  if (!user.additional_gids.empty() && !context.may_set_groups) {
    return Error::invalid_config(cat({context.pointer, "/user/additionalGids"}),
                                 "cannot be set, setgroups(2) is denied in this user namespace");
  }
  plan::Confine step;
  if (!user.additional_gids.empty()) {
    step.groups =
        builder.blob(user.additional_gids.data(), user.additional_gids.size() * sizeof(std::uint32_t));
  }
  step.uid = user.uid;
  step.gid = user.gid;
  step.umask = user.umask.value_or(kDefaultUmask);
  step.set_groups = context.may_set_groups ? 1 : 0;
  set_capabilities(process, context.pointer, step);
  builder.add(cat({context.pointer, "/user"}), step);
  return {};
}

void change_directory(const spec::Process& process,
                      const ProcessContext& context,
                      bool may_retry,
                      plan::Builder& builder) {
  builder.add(cat({context.pointer, "/cwd"}),
              plan::ChangeDirectory{.target = builder.text(process.cwd), .may_retry = may_retry ? 1U : 0U});
}

void find_executable(const spec::Process& process, const ProcessContext& context, plan::Builder& builder) {
  const std::vector<std::string> environment = plan_environment(process, context.extra_env);
  builder.add(cat({context.pointer, "/args/0"}),
              plan::FindExecutable{.name = builder.text(process.args.front()),
                                   .search_path = builder.text(search_path(environment))});
}

Status plan_own_rlimits(const spec::Process& process, const ProcessContext& context, plan::Builder& builder) {
  if (context.in_user_namespace) return {};
  for (const ResourceLimit& limit : TRY(plan_rlimits(process.rlimits))) {
    builder.add(limit.field, plan::ResourceLimit{.soft = limit.soft,
                                                 .hard = limit.hard,
                                                 .resource = static_cast<std::uint64_t>(limit.resource)});
  }
  return {};
}

}  // namespace

Status plan_confinement(const spec::Process& process,
                        const spec::Linux* linux,
                        const ProcessContext& context,
                        plan::Builder& builder) {
  if (process.args.empty())
    return Error::invalid_config(cat({context.pointer, "/args"}), "must not be empty");

  builder.add(cat({context.pointer, "/user/uid"}), plan::Stdio{.uid = process.user.uid});
  TRY(plan_scheduling(process, linux, context.pointer, builder));
  TRY(plan_own_rlimits(process, context, builder));
  // Without no_new_privs only CAP_SYS_ADMIN may install a filter (seccomp(2)), and Confine gives that up
  // (R17).
  if (!process.no_new_privileges) {
    await_filter(context, builder);
    TRY(plan_filter(context, builder));
  }

  // Root may enter a directory that the user may not, and the user one that root may not (NFS, FUSE): once
  // each.
  change_directory(process, context, true, builder);
  TRY(plan_identity(process, context, builder));
  change_directory(process, context, false, builder);

  if (process.no_new_privileges)
    builder.add(cat({context.pointer, "/noNewPrivileges"}), plan::NoNewPrivileges{});
  find_executable(process, context, builder);
  if (process.no_new_privileges) await_filter(context, builder);
  return {};
}

Status plan_exec(const spec::Process& process, const ProcessContext& context, plan::Builder& builder) {
  // As late as it can be: a profile then need not allow what init does until here.
  if (process.no_new_privileges) TRY(plan_filter(context, builder));
  const std::vector<std::string> environment = plan_environment(process, context.extra_env);
  const bool has_home = find_variable(environment, "HOME").has_value();
  builder.add(cat({context.pointer, "/args"}), plan::Exec{.args = builder.list(process.args),
                                                          .env = builder.list(environment),
                                                          .home_uid = process.user.uid,
                                                          .needs_home = has_home ? 0U : 1U});
  return {};
}

}  // namespace capsule::process
