#include "runtime/launch/plan_mounts.h"

#include "runtime/base/text.h"
#include "runtime/plan/protocol.h"

namespace capsule::launch {
namespace {

Result<MountsPlan> plan_entry(const spec::Spec& frozen, const spec::Record& record, const Host& host) {
  if (!lists(frozen, spec::NamespaceType::mount)) {
    return Error::wrong_state("the container has no mount namespace of its own, its mounts are the host's");
  }
  MountsPlan plan;
  plan::Builder& builder = plan.builder;
  plan.joins = plan_joins(frozen, host, builder);
  // Opened before setns(2), which succeeds only if that process still lives: then it was its root.
  const std::uint16_t root = builder.donate({.kind = plan::Donation::Kind::process_root,
                                             .source = cat({"/proc/", std::to_string(record.pid), "/root"})});
  builder.add("", plan::OpenRoot{.slot = root});
  return plan;
}

void say(protocol::Line line, plan::Builder& builder) {
  builder.add("", plan::Say{.line = static_cast<std::uint64_t>(line)});
}

}  // namespace

Result<MountsPlan> plan_add_mounts(const spec::Spec& frozen, const spec::Record& record, const Host& host) {
  MountsPlan plan = TRY(plan_entry(frozen, record, host));
  const ns::HostFacts facts{.privileged = host.privileged,
                            .in_user_namespace = host.in_user_namespace,
                            .euid = host.euid,
                            .egid = host.egid,
                            .bundle = record.bundle,
                            .cgroup_mount = record.cgroup_mount,
                            .cgroup_path = record.cgroup_path,
                            .joins = true};
  TRY(ns::plan_added_mounts(frozen, facts, plan.builder));
  plan.lines = frozen.mounts.size();
  say(protocol::Line::ready, plan.builder);
  return plan;
}

Result<MountsPlan> plan_remove_mounts(const spec::Spec& frozen,
                                      const spec::Record& record,
                                      const Host& host) {
  MountsPlan plan = TRY(plan_entry(frozen, record, host));
  TRY(ns::plan_unmounts(frozen, plan.builder));
  say(protocol::Line::ready, plan.builder);
  return plan;
}

std::vector<spec::Mount> plan_undo(const std::vector<spec::Mount>& mounts,
                                   const std::vector<std::int32_t>& attached) {
  std::vector<spec::Mount> undo;
  std::int32_t before = 0;
  for (std::size_t i = 0; i < attached.size(); ++i) {
    if (attached[i] > before) undo.push_back(mounts[i]);
    before = attached[i];
  }
  return undo;
}

}  // namespace capsule::launch
