#include "cgroups/kill.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/sys.h"

namespace capsule::cgroups {
namespace {

constexpr int kFreezeTimeoutMs = 1000;
constexpr int kMostRounds = 20;  // without a freezer, forks may outrun us; each round leaves fewer parents

// Nothing inside can fork while this lives. A cgroup that was frozen before stays so.
class Stillness {
 public:
  explicit Stillness(FdRef cgroup) : cgroup_(cgroup) {
    const Result<FreezeState> before = read_freeze(cgroup);
    if (!before.has_value() || before.value() == FreezeState::frozen) return;
    thaws_ = write_freeze(cgroup, FreezeState::frozen, kFreezeTimeoutMs).has_value();
  }
  Stillness(const Stillness&) = delete;
  Stillness& operator=(const Stillness&) = delete;
  ~Stillness() {
    if (thaws_) (void)write_freeze(cgroup_, FreezeState::thawed, 0);  // fails only if the cgroup is gone
  }

 private:
  FdRef cgroup_;
  bool thaws_ = false;
};

struct Member {
  pid_t pid;
  UniqueFd fd;
};

// Listed again once the pidfds are open: a pid that was reused in between names a process that is not in the
// second list, or one inside (R22).
Result<std::vector<Member>> open_members(FdRef cgroup) {
  std::vector<Member> members;
  for (const pid_t pid : TRY(read_pids(cgroup))) {
    Result<UniqueFd> fd = sys::pidfd_open(pid);
    if (fd.has_value())
      members.push_back({pid, std::move(fd).value()});  // otherwise it has exited, or is a thread
  }
  const std::vector<pid_t> still = TRY(read_pids(cgroup));  // sorted
  std::erase_if(members, [&](const Member& member) {
    return !std::binary_search(still.begin(), still.end(), member.pid);
  });
  return members;
}

Status signal_members(FdRef cgroup, int signal) {
  for (const Member& member : TRY(open_members(cgroup))) {
    Status sent = sys::pidfd_send_signal(member.fd, signal);
    if (!sent.has_value() && sent.error().code() != ESRCH) return sent;
  }
  return {};
}

}  // namespace

Status kill_each(FdRef cgroup) {
  for (int round = 0; round < kMostRounds && TRY(read_populated(cgroup)); ++round) {
    const Stillness still(cgroup);
    TRY(signal_members(cgroup, SIGKILL));
  }
  return {};
}

Status kill_all(FdRef cgroup) {
  // Reaches frozen processes too, and everything that is being forked: no need to thaw a paused container and
  // let it run on.
  Status killed = write_cgroup_file(cgroup, "cgroup.kill", "1");
  if (killed.has_value() || killed.error().code() == ENODEV) return {};
  if (killed.error().code() != ENOENT && killed.error().code() != EOPNOTSUPP) return killed;
  return kill_each(cgroup);
}

Status signal_all(FdRef cgroup, int signal) {
  if (signal == SIGKILL) return kill_all(cgroup);
  const Stillness still(cgroup);
  return signal_members(cgroup, signal);
}

}  // namespace capsule::cgroups
