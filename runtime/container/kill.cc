// Signals to a container: to its init by pidfd, to all of it by cgroup. Never to a pid alone.

#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <utility>

#include "runtime/container/container.h"
#include "runtime/container/processes.h"

namespace capsule::container {
namespace {

Status signal_init(const Container& container, int signal) {
  const Pidfd init = TRY(container.init());
  Status sent = init.signal(signal);
  if (!sent.has_value() && sent.error().code() == ESRCH) return Error::wrong_state("container not running");
  return std::move(sent).context("signal ", std::to_string(signal), " to init");
}

Status signal_init_alone(const Container& container, int signal) {
  TRY(signal_init(container, signal));
  if (signal != SIGKILL) return {};
  const std::optional<UniqueFd> cgroup = TRY(find_cgroup(container.record()));
  return cgroup.has_value() ? thaw_after_kill(*cgroup) : Status();
}

// Without a cgroup init stands for all, which is true only of the init of a pid namespace.
bool are_processes_unknown(const Container& container) {
  const spec::Record& record = container.record();
  return !has_cgroup(record) && !record.own_pid_namespace && container.init().has_value();
}

Status signal_all(const Container& container, int signal) {
  if (are_processes_unknown(container)) {
    return Error::wrong_state("container has no cgroup, and only that knows all its processes");
  }
  if (signal == SIGKILL) return kill_everything(container);
  const std::optional<UniqueFd> cgroup = TRY(find_cgroup(container.record()));
  if (cgroup.has_value()) return cgroups::signal_all(*cgroup, signal);
  return container.init().has_value() ? signal_init(container, signal) : Status();
}

// SIGKILL to the init of a pid namespace takes everything inside with it (pid_namespaces(7)). A container
// that shares its pid namespace has no such init, and what it leaves behind may even outlive it.
Result<bool> needs_whole_cgroup(const Container& container, int signal) {
  if (signal != SIGKILL || container.record().own_pid_namespace) return false;
  const std::optional<UniqueFd> cgroup = TRY(find_cgroup(container.record()));
  if (!cgroup.has_value()) return false;
  return cgroups::read_populated(*cgroup);
}

}  // namespace

Status kill(const Container& container, const KillOptions& options) {
  if (options.all || TRY(needs_whole_cgroup(container, options.signal)))
    return signal_all(container, options.signal);
  return signal_init_alone(container, options.signal);
}

}  // namespace capsule::container
