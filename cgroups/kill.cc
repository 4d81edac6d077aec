#include "cgroups/kill.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <span>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/sys.h"

namespace capsule::cgroups {
namespace {

constexpr int kFreezeTimeoutMs = 1000;
constexpr std::size_t kMostOpen = 128;  // descriptors at a time: a crowd needs more than we may have
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

// It has exited, or is a thread.
bool is_no_process(const Error& error) {
  return error.code() == ESRCH || error.code() == EINVAL || error.code() == ENOENT;
}

// Listed again once the pidfds are open: a pid that was reused in between names a process that is not in the
// second list, or one inside (R22).
Result<std::vector<Member>> open_members(FdRef cgroup, std::span<const pid_t> pids) {
  std::vector<Member> members;
  for (const pid_t pid : pids) {
    Result<UniqueFd> fd = sys::pidfd_open(pid);
    if (!fd.has_value() && is_no_process(fd.error())) continue;
    UniqueFd opened = TRY(std::move(fd));
    members.push_back({pid, std::move(opened)});
  }
  const std::vector<pid_t> still = TRY(read_pids(cgroup));  // sorted
  std::erase_if(members, [&](const Member& member) {
    return !std::binary_search(still.begin(), still.end(), member.pid);
  });
  return members;
}

Status signal_some(FdRef cgroup, std::span<const pid_t> pids, int signal) {
  for (const Member& member : TRY(open_members(cgroup, pids))) {
    Status sent = sys::pidfd_send_signal(member.fd, signal);
    if (!sent.has_value() && sent.error().code() != ESRCH) return sent;
  }
  return {};
}

Status signal_members(FdRef cgroup, int signal) {
  const std::vector<pid_t> pids = TRY(read_pids(cgroup));
  for (std::span<const pid_t> rest = pids; !rest.empty();) {
    const std::span<const pid_t> some = rest.first(std::min(rest.size(), kMostOpen));
    TRY(signal_some(cgroup, some, signal));
    rest = rest.subspan(some.size());
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

Status kill_at_once(FdRef cgroup) {
  // Reaches frozen processes too, and everything that is being forked: no need to thaw a paused container and
  // let it run on.
  Status killed = write_cgroup_file(cgroup, "cgroup.kill", "1");
  if (killed.has_value() || killed.error().code() == ENODEV) return {};
  if (killed.error().code() != ENOENT && killed.error().code() != EOPNOTSUPP) return killed;
  return kill_each(cgroup);
}

// cgroup.kill signals the first thread of each process, and does not reach one whose first thread has ended
// while others go on (seen up to Linux 6.18). A signal to the process does.
Status kill_all(FdRef cgroup) {
  TRY(kill_at_once(cgroup));
  Status rest = signal_members(cgroup, SIGKILL);
  return !rest.has_value() && is_gone(rest.error()) ? Status() : std::move(rest);
}

Status signal_all(FdRef cgroup, int signal) {
  if (signal == SIGKILL) return kill_all(cgroup);
  const Stillness still(cgroup);
  return signal_members(cgroup, signal);
}

}  // namespace capsule::cgroups
