// The end of a container: its processes, its cgroup, its state directory, in this order, so that a `delete`
// killed on the way can be repeated.

#include <string>
#include <utility>

#include "cgroups/systemd.h"
#include "runtime/base/text.h"
#include "runtime/container/container.h"
#include "runtime/container/directory.h"
#include "runtime/container/processes.h"

namespace capsule::container {
namespace {

constexpr int kKillTimeoutMs = 10'000;
constexpr int kCgroupTimeoutMs = 10'000;

Status check_removable(const Container& container, ContainerStatus status) {
  if (status == ContainerStatus::stopped || status == ContainerStatus::created) return {};
  return Error::wrong_state(
      cat({"cannot delete container ", container.record().id, " that is not stopped: ", name_of(status)}));
}

Status stop(const Container& container) {
  const Result<Pidfd> init = container.init();
  if (!init.has_value()) return {};  // what init left behind goes with the cgroup
  TRY(kill_everything(container));
  if (TRY(init.value().wait_gone(kKillTimeoutMs))) return {};
  const std::string pid = std::to_string(init.value().pid());
  return Error::wrong_state(
      cat({"container init still running: process ", pid, " has not died of SIGKILL for ",
           std::to_string(kKillTimeoutMs / 1000), " s; /proc/", pid, "/stack shows where it hangs"}));
}

// A scope without a cgroup is gone, for systemd as well, unless an annotation wants one that failed to be
// kept. One that systemd cannot be asked about any more is emptied and removed like any other cgroup.
Status stop_unit(const Container& container) {
  const spec::Record& record = container.record();
  if (record.systemd_unit.empty()) return {};
  const bool may_be_kept = record.annotations.contains("org.systemd.property.CollectMode");
  if (!may_be_kept && !TRY(find_cgroup(record)).has_value()) return {};
  TRY(kill_everything(container));
  return cgroups::stop_unit(TRY(cgroups::probe_manager()), record.systemd_unit);
}

Status remove_cgroup(const Container& container) {
  const spec::Record& record = container.record();
  if (!has_cgroup(record)) return {};
  Status stopped = stop_unit(container);
  Status removed = cgroups::remove(record.cgroup_mount, record.cgroup_path, true, kCgroupTimeoutMs);
  if (removed.has_value() || stopped.has_value()) return removed;
  return stopped;  // why systemd did not do it
}

// A directory whose record was never written, or cannot be read: there is no process and no cgroup that we
// could know of.
Status remove_leftover(const Store& store, const std::string& id) {
  const Result<UniqueFd> dir = open_locked_directory(store.root(), id, kLockTimeoutMs);
  if (dir.has_value()) return erase_directory(dir.value(), directory_path(store.root(), id));
  return dir.error().kind() == ErrorKind::not_found ? Status()
                                                    : Status(Error::wrong_state(dir.error().message()));
}

// Whoever holds the lock may be waiting for the very processes that are to go, as a `create` whose init hangs
// does.
Status unblock_lock_holder(const Store& store, const std::string& id) {
  const Result<Container> container = Container::open(store, id, Container::Lock::none);
  if (!container.has_value() || !is_locked(container.value().dir())) return {};
  return kill_everything(container.value());
}

Status remove_stopped(const Container& container, const std::function<void(const Container&)>& run_poststop) {
  TRY(remove_cgroup(container));
  TRY(cgroups::remove_rdt(rdt_group_of(container.record())));
  if (run_poststop) run_poststop(container);
  return erase_directory(container.dir(), container.path());
}

}  // namespace

Status remove(const Store& store,
              const std::string& id,
              bool force,
              const std::function<void(const Container&)>& run_poststop) {
  if (force) TRY(unblock_lock_holder(store, id).context("delete ", id));
  Result<Container> opened = Container::open(store, id, Container::Lock::exclusive);
  if (force && !opened.has_value() && opened.error().kind() == ErrorKind::not_found)
    return remove_leftover(store, id);
  const Container container = TRY(std::move(opened));
  if (!force) TRY(check_removable(container, container.status()));
  TRY(stop(container).context("delete ", id));
  return remove_ended(container, run_poststop);
}

Status remove_ended(const Container& container, const std::function<void(const Container&)>& run_poststop) {
  return remove_stopped(container, run_poststop).context("delete ", container.record().id);
}

}  // namespace capsule::container
