// Other limits for a container that lives: the cgroup's files, the shares in resctrl, the frozen config.json;
// in this order, and each undone if a later one fails.

#include "cgroups/update.h"

#include "cgroups/plan_rdt.h"
#include "cgroups/rdt.h"
#include "cgroups/systemd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/container/container.h"
#include "runtime/container/directory.h"
#include "spec/read.h"
#include "spec/validate.h"

namespace capsule::container {
namespace {

constexpr const char* kPointer = "/linux/resources";

spec::IntelRdt shares_of(const Change& change) {
  spec::IntelRdt rdt;
  rdt.l3_cache_schema = change.l3_cache_schema;
  rdt.mem_bw_schema = change.mem_bw_schema;
  return rdt;
}

bool has_shares(const Change& change) {
  return change.l3_cache_schema.has_value() || change.mem_bw_schema.has_value();
}

Status merge_shares(std::optional<spec::IntelRdt>& rdt, const Change& change) {
  if (!has_shares(change)) return {};
  if (!rdt.has_value()) {
    return Error::wrong_state(
        "/linux/intelRdt: the container was created without it, so it has no shares to change");
  }
  if (change.l3_cache_schema) rdt->l3_cache_schema = change.l3_cache_schema;
  if (change.mem_bw_schema) rdt->mem_bw_schema = change.mem_bw_schema;
  return {};
}

Status write_config(const Container& container, const spec::Spec& spec) {
  return replace_file(container.dir(), kConfigName, spec::write(spec), kFileMode)
      .context("keep the new limits in ", container.path());
}

// The last two steps; the first of them has nobody to undo it.
Status write_shares_and_config(const Container& container, const Change& change, const spec::Spec& spec) {
  if (!has_shares(change)) return write_config(container, spec);
  const cgroups::RdtGroup rdt = rdt_group_of(container.record());
  const std::string before = TRY(cgroups::read_schemata(rdt));
  TRY(cgroups::write_schemata(rdt, cgroups::schemata_of(shares_of(change))));
  Status kept = write_config(container, spec);
  if (kept.has_value()) return kept;
  const Status undone = cgroups::write_schemata(rdt, before);
  if (!undone.has_value()) log::warning(cat({"not put back: ", undone.error().message()}));
  return kept;
}

Status write_files(const Container& container,
                   const Change& change,
                   const std::vector<cgroups::Write>& writes,
                   const spec::Spec& spec) {
  const UniqueFd cgroup = TRY(container.cgroup());
  cgroups::AppliedWrites applied = TRY(cgroups::AppliedWrites::apply(cgroup, writes));
  TRY(write_shares_and_config(container, change, spec));
  applied.keep();
  return {};
}

// systemd first, since it writes the files anew and rounds a quota; and back first, for the same reason.
Status change_unit(const Container& container,
                   const Change& change,
                   const cgroups::Update& update,
                   const std::vector<cgroups::Write>& before,
                   const spec::Spec& spec) {
  const cgroups::ManagerFacts facts = TRY(cgroups::probe_manager());
  const std::string& unit = container.record().systemd_unit;
  const auto limits = cgroups::plan_limit_properties(update.writes);
  TRY(cgroups::set_unit_limits(facts, unit, limits));
  Status done = write_files(container, change, update.writes, spec);
  if (done.has_value() || limits.empty()) return done;
  const Status undone =
      cgroups::set_unit_limits(facts, unit, cgroups::plan_former_properties(limits, before));
  if (!undone.has_value()) log::warning(cat({"not put back: ", undone.error().message()}));
  const UniqueFd cgroup = TRY(container.cgroup());
  (void)cgroups::apply_writes(cgroup, before);
  return done;
}

Status perform(const Container& container,
               const Change& change,
               const cgroups::Update& update,
               const std::vector<cgroups::Write>& before,
               const spec::Spec& spec) {
  if (update.writes.empty()) return write_shares_and_config(container, change, spec);
  if (!container.record().systemd_unit.empty()) return change_unit(container, change, update, before, spec);
  return write_files(container, change, update.writes, spec);
}

}  // namespace

Status update(const Container& container, const Change& change) {
  const ContainerStatus status = container.status();
  if (status == ContainerStatus::stopped || status == ContainerStatus::creating) {
    return Error::wrong_state("container not running");
  }
  TRY(spec::validate_resources(change.resources, kPointer));
  spec::Spec spec = TRY(spec::read(TRY(container.frozen_config())));
  if (!spec.linux.has_value()) spec.linux.emplace();
  TRY(merge_shares(spec.linux->intel_rdt, change));
  const spec::LinuxResources old = spec.linux->resources.value_or(spec::LinuxResources());
  cgroups::Update update = TRY(cgroups::plan_update(old, change.resources));
  spec.linux->resources = std::move(update.resources);
  const std::vector<cgroups::Write> before = TRY(cgroups::plan_unified(old));
  return perform(container, change, update, before, spec);
}

}  // namespace capsule::container
