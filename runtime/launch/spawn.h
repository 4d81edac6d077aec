// Making init: one clone3, and a child that does next to nothing before it executes capsule-init.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/pidfd.h"
#include "runtime/base/result.h"
#include "runtime/base/sys.h"
#include "runtime/launch/namespace_thread.h"

namespace capsule::launch {

struct SpawnRequest {
  std::uint64_t clone_flags = 0;  // CLONE_NEW*, except cgroup and time
  // Clones in our place, out of those it has made ahead; not together with `pid_namespace` or `cpus`, which
  // our own thread borrows. Null: nobody does.
  NamespaceThread* namespaces = nullptr;
  int cgroup = -1;             // directory to be born in (CLONE_INTO_CGROUP, Linux 5.7); -1: ours
  int pid_namespace = -1;      // joined for the child alone (a namespace or a pidfd); -1: none
  bool is_last_child = false;  // of ours: nobody after it minds where `pid_namespace` left us
  FdRef init_memfd{-1};
  FdRef plan_memfd{-1};
  FdRef sync{-1};               // the child's end
  std::vector<int> inherited;   // descriptors without O_CLOEXEC in the child: donations, plan and sync
  bool waits_for_maps = false;  // a new user namespace: its maps come first, then the child becomes its root
  // Closed by a child that waits for maps: our end of the conversation, or it would not notice our death, and
  // what holds the container's lock, or nobody could remove what we left.
  std::vector<int> closed_while_waiting;
  bool may_be_frozen = false;  // its cgroup: then it does not even execute init until that is thawed
  std::optional<std::int32_t> oom_score_adj;  // inherited by the child: it is ours during the clone
  std::vector<unsigned long> cpus;            // affinity of the child, likewise; empty: ours
  std::uint32_t root_uid = 0, root_gid = 0;   // ids the child takes in that namespace
};

// A child of ours that has not been handed over: killed and reaped, unless kept, when it goes out of scope.
// Reaped because the rmdir of its cgroup would say EBUSY otherwise.
class InitProcess {
 public:
  InitProcess(UniqueFd pidfd, pid_t pid) : pidfd_(std::move(pidfd)), pid_(pid) {}
  InitProcess(InitProcess&& other) noexcept
      : pidfd_(std::move(other.pidfd_)), pid_(std::exchange(other.pid_, 0)) {}
  InitProcess& operator=(InitProcess&& other) noexcept;
  ~InitProcess();

  [[nodiscard]] FdRef pidfd() const noexcept { return pidfd_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Waits for its end and says how it ended.
  Result<sys::ExitStatus> reap();
  void keep() noexcept { pid_ = 0; }

 private:
  UniqueFd pidfd_;
  pid_t pid_;  // 0: nothing to undo
};

//   fails   clone3 with a hint where the errno alone misleads (EPERM for user namespaces, ENOSPC for their
//   number, ENOENT/EBUSY/EACCES for the cgroup)
Result<InitProcess> spawn_init(const SpawnRequest& request);

}  // namespace capsule::launch
