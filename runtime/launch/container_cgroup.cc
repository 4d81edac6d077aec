#include "runtime/launch/container_cgroup.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "namespaces/plan.h"
#include "runtime/base/text.h"
#include "runtime/launch/id_maps.h"
#include "runtime/launch/interrupts.h"

namespace capsule::launch {
namespace {

// An unprivileged caller without a delegated cgroup runs without one, as long as nothing was asked of it
// (runc does the same). What was asked for first, "" if nothing:
std::string_view asked_of_cgroup(const CreatePlan& plan, const spec::Spec& spec) {
  if (!plan.cgroup.writes.empty()) return plan.cgroup.writes.front().field;
  const bool has_path = spec.linux.has_value() && !spec.linux->cgroups_path.value_or("").empty();
  return has_path ? "/linux/cgroupsPath" : "";
}

bool lacks_delegation(const Error& error, const Host& host) {
  const bool refused = error.code() == EACCES || error.code() == EPERM || error.code() == EROFS;
  return is_ordinary(host) && refused;
}

Error refused_cgroup(Error error, std::string_view asked) {
  return std::move(error)
      .with({asked, ": needs a cgroup"})
      .hint(
          "this user may not make it there: have a cgroup delegated (systemd: Delegate=yes), or ask for "
          "nothing");
}

Result<cgroups::Cgroup> make_cgroup(CreatePlan& plan, const spec::Spec& spec, const Host& host) {
  if (plan.cgroup.path.empty()) return cgroups::Cgroup();
  Result<cgroups::Cgroup> made = cgroups::Cgroup::create(host.cgroups, plan.cgroup.path, plan.cgroup.needs);
  if (!made.has_value() && lacks_delegation(made.error(), host)) {
    const std::string_view asked = asked_of_cgroup(plan, spec);
    if (!asked.empty()) return refused_cgroup(std::move(made).error(), asked);
    plan.cgroup.path.clear();
    return cgroups::Cgroup();
  }
  cgroups::Cgroup cgroup = TRY(std::move(made));
  TRY(cgroup.apply(plan.cgroup.writes));
  return cgroup;
}

// systemd moves the keeper into the scope; the container's own process is cloned beside it.
Result<ContainerCgroup> make_scope(CreatePlan& plan, const Host& host, FdRef interrupts) {
  const cgroups::ScopePlan& scope = *plan.cgroup.scope;
  TRY(cgroups::enter_user_manager(host.systemd, host.cgroups.own_path));
  ContainerCgroup place;
  place.scope = TRY(cgroups::Scope::begin(host.systemd, scope, host.cgroups.mount));
  TRY(wait_readable(place.scope.answer(), interrupts, cat({"systemd to start unit ", scope.name.unit})));
  const std::string path = TRY(place.scope.finish());
  place.cgroup = TRY(
      cgroups::Cgroup::adopt(host.cgroups, path, scope.sub_cgroup, place.scope.keeper(), plan.cgroup.needs));
  plan.cgroup.path = place.cgroup.path();
  TRY(place.cgroup.apply(plan.cgroup.writes));
  return place;
}

// config-linux.md#cgroup-ownership: a container with its own cgroup namespace and a writable view of it may
// arrange its inside.
bool wants_ownership(const spec::Spec& spec, const CreatePlan& plan) {
  if ((plan.namespaces.unshare_flags & CLONE_NEWCGROUP) == 0 || !plan.namespaces.new_user ||
      !spec.process.has_value())
    return false;
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const spec::Mount& mount) {
    const bool is_view = mount.type == "cgroup" || mount.type == "cgroup2";
    return is_view && std::find(mount.options.begin(), mount.options.end(), "ro") == mount.options.end();
  });
}

Status give_ownership(const cgroups::Cgroup& cgroup, const spec::Spec& spec, const CreatePlan& plan) {
  if (cgroup.dir().get() < 0 || !wants_ownership(spec, plan)) return {};
  const std::optional<std::uint32_t> owner = ns::host_id(spec.linux->uid_mappings, spec.process->user.uid);
  return owner.has_value() ? cgroups::apply_owner(cgroup.dir(), *owner) : Status();
}

// Annotation of crun's: processes live in a cgroup of this name below the scope.
Result<std::string> plan_sub_cgroup(const spec::Spec& spec) {
  constexpr const char* kAnnotation = "run.oci.systemd.subgroup";
  const auto found = spec.annotations.find(kAnnotation);
  if (found == spec.annotations.end()) return std::string();
  const std::string& name = found->second;
  if (name == "." || name == ".." || name.find('/') != std::string::npos)
    return Error::unsupported(
        cat({"annotation ", kAnnotation, ": ", quoted(name), " is no name of a cgroup"}));
  return name;
}

Status plan_scope(const spec::Spec& spec,
                  const LaunchOptions& options,
                  const Host& host,
                  const std::vector<spec::DeviceRule>& rules,
                  CgroupPlan& plan) {
  const std::optional<std::string> path = spec.linux.has_value() ? spec.linux->cgroups_path : std::nullopt;
  cgroups::ScopePlan scope;
  scope.name = TRY(cgroups::plan_scope_name(path, options.id, host.systemd.manager));
  const bool is_user = host.systemd.manager == cgroups::Manager::user;
  const std::string base =
      is_user ? cgroups::cgroup_of_user_manager(host.cgroups.own_path, host.systemd.uid) : std::string();
  scope.path = cat({base, TRY(cgroups::expand_slice(scope.name.slice)), "/", scope.name.unit});
  scope.sub_cgroup = TRY(plan_sub_cgroup(spec));
  scope.description = cat({"capsule container ", options.id});
  scope.limits = cgroups::plan_limit_properties(plan.writes);
  if (!is_user) {  // a user's manager may load no device program
    for (cgroups::PlannedProperty& p :
         cgroups::plan_device_properties(TRY(cgroups::plan_device_policy(rules))))
      scope.limits.push_back(std::move(p));
  }
  scope.annotations = TRY(cgroups::plan_annotation_properties(spec.annotations));
  plan.path = scope.sub_cgroup.empty() ? scope.path : cat({scope.path, "/", scope.sub_cgroup});
  plan.scope = std::move(scope);
  return {};
}

}  // namespace

Result<CgroupPlan> plan_cgroup(const spec::Spec& spec, const LaunchOptions& options, const Host& host) {
  CgroupPlan plan;
  const spec::Linux& l = linux_of(spec);
  if (l.resources.has_value()) {
    plan.writes = TRY(cgroups::plan_unified(*l.resources));
    plan.needs = cgroups::needed_controllers(plan.writes);
  }
  if (options.cgroup_manager == CgroupManager::disabled) {
    if (!plan.writes.empty())
      return Error::invalid_config(plan.writes.front().field,
                                   "cannot be applied with the cgroup manager \"disabled\"");
    return plan;
  }
  if (host.cgroups.mount.empty()) {
    if (!plan.writes.empty())
      return Error::unsupported(
          cat({plan.writes.front().field, ": no cgroup2 hierarchy is mounted on this host"}));
    return plan;
  }
  const std::vector<spec::DeviceRule> rules =
      l.resources.has_value() ? l.resources->devices : std::vector<spec::DeviceRule>{};
  plan.devices = TRY(cgroups::plan_device_program(rules));
  if (options.cgroup_manager == CgroupManager::systemd) {
    TRY(plan_scope(spec, options, host, rules, plan));
  } else {
    plan.path = cgroups::plan_path(l.cgroups_path, options.id, host.cgroups);
  }
  return plan;
}

Status refuse_occupied_cgroup(const container::Store& store,
                              const std::string& id,
                              const CgroupPlan& plan,
                              const Host& host) {
  const bool id_is_taken =
      container::Container::open(store, id, container::Container::Lock::none).has_value();
  if (plan.path.empty() || id_is_taken) return {};  // Record::begin has the better words for a second create
  const Result<UniqueFd> existing = cgroups::open_cgroup(host.cgroups.mount, plan.path);
  if (!existing.has_value()) return {};  // mostly not there; anything else is for create() to report
  const std::vector<pid_t> inside = TRY(cgroups::read_pids(existing.value()));
  if (inside.empty()) return {};
  return Error::wrong_state(
      cat({"container's cgroup is not empty: ", std::to_string(inside.size()), " process(es) found"}));
}

Result<ContainerCgroup> make_container_cgroup(CreatePlan& plan,
                                              const spec::Spec& spec,
                                              const Host& host,
                                              FdRef interrupts) {
  ContainerCgroup place;
  if (plan.cgroup.scope.has_value()) {
    place = TRY(make_scope(plan, host, interrupts));
  } else {
    place.cgroup = TRY(make_cgroup(plan, spec, host));
  }
  TRY(give_ownership(place.cgroup, spec, plan));
  return place;
}

Status apply_devices(const CgroupPlan& plan, const cgroups::Cgroup& cgroup, const Host& host) {
  if (plan.path.empty()) return {};
  Status applied = cgroups::apply_device_program(plan.devices, cgroup.dir());
  if (!applied.has_value() && applied.error().code() == EPERM && is_ordinary(host)) return {};
  return applied;
}

}  // namespace capsule::launch
