#include "runtime/container/processes.h"

#include <cerrno>
#include <csignal>
#include <utility>

namespace capsule::container {
namespace {

// ENODEV is what an open file of a removed cgroup says.
bool is_gone(const Error& error) {
  return error.code() == ENOENT || error.code() == ENODEV;
}

Status unless_gone(Status status) {
  if (!status.has_value() && is_gone(status.error())) return {};
  return status;
}

}  // namespace

bool has_cgroup(const spec::Record& record) {
  return record.cgroup_path.find_first_not_of('/') != std::string::npos;
}

Result<std::optional<UniqueFd>> find_cgroup(const spec::Record& record) {
  if (!has_cgroup(record)) return std::optional<UniqueFd>();
  Result<UniqueFd> cgroup = cgroups::open_cgroup(record.cgroup_mount, record.cgroup_path);
  if (!cgroup.has_value() && is_gone(cgroup.error())) return std::optional<UniqueFd>();
  return std::optional<UniqueFd>(TRY(std::move(cgroup)));
}

bool is_frozen(const Container& container) {
  const spec::Record& record = container.record();
  if (!has_cgroup(record)) return false;
  const Result<cgroups::FreezeState> state = cgroups::read_freeze(record.cgroup_mount, record.cgroup_path);
  return state.has_value() && state.value() == cgroups::FreezeState::frozen;
}

Status thaw_after_kill(FdRef cgroup) {
  const Result<cgroups::FreezeState> state = cgroups::read_freeze(cgroup);
  if (!state.has_value() || state.value() == cgroups::FreezeState::thawed) return {};
  return unless_gone(cgroups::write_freeze(cgroup, cgroups::FreezeState::thawed, kFreezeTimeoutMs));
}

Status kill_everything(const Container& container) {
  const Result<Pidfd> init = container.init();
  if (init.has_value()) {
    Status sent = init.value().signal(SIGKILL);
    if (!sent.has_value() && sent.error().code() != ESRCH) return std::move(sent).context("kill init");
  }
  const std::optional<UniqueFd> cgroup = TRY(find_cgroup(container.record()));
  if (!cgroup.has_value()) return {};
  TRY(unless_gone(cgroups::kill_all(*cgroup)));
  return thaw_after_kill(*cgroup);
}

}  // namespace capsule::container
