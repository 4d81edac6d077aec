#include "runtime/launch/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <memory>
#include <string>

#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "runtime/init/raw.h"
#include "runtime/launch/clone.h"
#include "runtime/plan/protocol.h"

namespace capsule::launch {
namespace {

namespace raw = init::raw;

constexpr std::size_t kStackSize = 16384;
constexpr std::uint64_t kIntoCgroup = 0x200000000ULL;  // CLONE_INTO_CGROUP

// Everything the child needs, laid out before the clone: it may share our memory until it executes init, so
// it must not allocate, lock or unwind.
struct Child {
  bool releases_launcher;  // while it executes init
  int init_memfd;
  int sync;
  const int* inherited;
  std::size_t inherited_count;
  std::array<char, 12> plan_number, sync_number;  // decimal
  bool waits_for_maps;
  const int* closed_while_waiting;
  std::size_t closed_count;
  std::uint32_t root_uid, root_gid;
};

[[noreturn]] void give_up(const Child& child, const char* call, long err) {
  protocol::Failure failure{};
  failure.frame.line = protocol::Line::failed;
  failure.step = protocol::kNoStep;
  failure.err = static_cast<std::int32_t>(-err);
  failure.problem = protocol::Problem::system_call;
  for (std::size_t i = 0; call[i] != '\0' && i + 1 < sizeof(failure.call); ++i)
    failure.call[i] = call[i];
  raw::send(child.sync, &failure, sizeof(failure));
  raw::exit(1);
}

// As a user that is not 0 the capabilities would be lost in execve: they are carried over as ambient ones,
// which Confine clears.
void keep_capabilities_over_exec() {
  __user_cap_header_struct header{0x20080522, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  raw::capget(&header, sets.data());
  for (auto& half : sets) {
    half.effective = half.permitted;
    half.inheritable = half.permitted;
  }
  raw::capset(&header, sets.data());
  for (unsigned capability = 0; capability < 64; ++capability) {
    raw::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
  }
}

void enter_user_namespace(const Child& child) {
  for (std::size_t i = 0; i < child.closed_count; ++i)
    raw::close(child.closed_while_waiting[i]);
  protocol::Frame frame{};
  const long got = raw::recv(child.sync, &frame, sizeof(frame));
  if (got != sizeof(frame) || frame.line != protocol::Line::maps_written) raw::exit(1);

  raw::prctl(PR_SET_KEEPCAPS, 1);
  raw::setgroups(0, nullptr);  // refused where setgroups is "deny": there is nothing to drop then
  long changed = raw::setresgid(child.root_gid, child.root_gid, child.root_gid);
  if (changed < 0) give_up(child, "setresgid", changed);
  changed = raw::setresuid(child.root_uid, child.root_uid, child.root_uid);
  if (changed < 0) give_up(child, "setresuid", changed);
  if (child.root_uid != 0) keep_capabilities_over_exec();
}

// Nothing in here but raw system calls on memory prepared before.
[[noreturn]] void run_child(void* argument) {
  const Child child = *static_cast<const Child*>(argument);  // on a stack that nobody takes away
  if (child.waits_for_maps) enter_user_namespace(child);
  for (std::size_t i = 0; i < child.inherited_count; ++i) {
    raw::call(__NR_fcntl, child.inherited[i], F_SETFD, 0);
  }
  if (child.releases_launcher) NamespaceThread::release_launcher();
  const std::array<const char*, 4> argv{"capsule-init", child.plan_number.data(), child.sync_number.data(),
                                        nullptr};
  const char* const no_environment = nullptr;
  const long executed =
      raw::call(__NR_execveat, child.init_memfd, "", argv.data(), &no_environment, AT_EMPTY_PATH);
  give_up(child, "execveat", executed);
}

std::string_view hint_for(int err, const SpawnRequest& request) {
  const bool user = (request.clone_flags & CLONE_NEWUSER) != 0;
  if (err == ENOSPC) return "a limit in /proc/sys/user/max_*_namespaces is reached";
  if (err == EPERM && user) {
    return "user namespaces may be restricted: see kernel.unprivileged_userns_clone and "
           "kernel.apparmor_restrict_unprivileged_userns";
  }
  if (err == EBUSY && request.cgroup >= 0)
    return "the cgroup has controllers enabled for its children and may hold no process itself";
  if (err == EACCES && request.cgroup >= 0)
    return "into its cgroup: the caller must be in the same delegated tree of cgroups";
  if (err == EOPNOTSUPP && request.cgroup >= 0) return "the cgroup is threaded";
  return {};
}

// setns(CLONE_NEWPID) moves only the children to come, so it is done before the clone, and undone behind it
// if there are more of them.
class BorrowedPidNamespace {
 public:
  static Result<BorrowedPidNamespace> enter(const SpawnRequest& request) {
    if (request.pid_namespace < 0) return BorrowedPidNamespace(UniqueFd());
    UniqueFd own;
    if (!request.is_last_child) own = TRY(sys::openat(FdRef::cwd(), "/proc/self/ns/pid", O_RDONLY));
    TRY(sys::setns(FdRef(request.pid_namespace), CLONE_NEWPID, "pid"));
    return BorrowedPidNamespace(std::move(own));
  }
  BorrowedPidNamespace(BorrowedPidNamespace&&) = default;
  ~BorrowedPidNamespace() {
    if (own_.is_open()) (void)sys::setns(own_, CLONE_NEWPID, "own pid");  // our own: cannot be refused
  }

 private:
  explicit BorrowedPidNamespace(UniqueFd own) : own_(std::move(own)) {}
  UniqueFd own_;
};

// A child inherits its parent's oom_score_adj. Set so, it needs no rights of the child's over its own /proc
// files, which a user namespace may deny.
class BorrowedOomScore {
 public:
  static Result<BorrowedOomScore> set(const std::optional<std::int32_t>& score) {
    if (!score.has_value()) return BorrowedOomScore({});
    std::string before = TRY(read_file(FdRef::cwd(), kPath).context("/process/oomScoreAdj"));
    TRY(write_kernel_file(FdRef::cwd(), kPath, std::to_string(*score)).context("/process/oomScoreAdj"));
    return BorrowedOomScore(std::move(before));
  }
  BorrowedOomScore(BorrowedOomScore&& other) noexcept : before_(std::exchange(other.before_, {})) {}
  BorrowedOomScore& operator=(BorrowedOomScore&&) = delete;
  ~BorrowedOomScore() {
    if (!before_.empty())
      (void)write_kernel_file(FdRef::cwd(), kPath, before_);  // lowering may be refused: we end soon
  }

 private:
  static constexpr const char* kPath = "/proc/self/oom_score_adj";
  explicit BorrowedOomScore(std::string before) : before_(std::move(before)) {}
  std::string before_;
};

class BorrowedAffinity {
 public:
  static Result<BorrowedAffinity> set(const std::vector<unsigned long>& cpus) {
    BorrowedAffinity borrowed;
    if (cpus.empty()) return borrowed;
    borrowed.size_ = ::syscall(SYS_sched_getaffinity, 0, sizeof(borrowed.before_), borrowed.before_.data());
    if (::syscall(SYS_sched_setaffinity, 0, cpus.size() * sizeof(unsigned long), cpus.data()) < 0) {
      return Error::system("sched_setaffinity", errno).with({"/process/execCPUAffinity/initial"});
    }
    return borrowed;
  }
  BorrowedAffinity(BorrowedAffinity&& other) noexcept
      : before_(other.before_), size_(std::exchange(other.size_, 0)) {}
  BorrowedAffinity& operator=(BorrowedAffinity&&) = delete;
  ~BorrowedAffinity() {
    if (size_ > 0)
      (void)::syscall(SYS_sched_setaffinity, 0, size_, before_.data());  // was allowed a moment ago
  }

 private:
  BorrowedAffinity() = default;
  std::array<unsigned long, 128> before_{};  // 8192 processors
  long size_ = 0;
};

std::array<char, 12> decimal(int number) {
  std::array<char, 12> text{};
  std::to_chars(text.data(), text.data() + text.size() - 1, number);
  return text;
}

bool shares_memory(const SpawnRequest& request) {
  return !request.waits_for_maps && !request.may_be_frozen;
}

// Only to a thread of ours is it of use. What was borrowed for the child must not be given back before the
// child has executed init: writing our oom_score_adj would write that of everybody in our memory.
bool can_release(const SpawnRequest& request) {
  return request.namespaces != nullptr && shares_memory(request) && !request.oom_score_adj.has_value();
}

}  // namespace

InitProcess& InitProcess::operator=(InitProcess&& other) noexcept {
  std::swap(pidfd_, other.pidfd_);
  std::swap(pid_, other.pid_);
  return *this;
}

InitProcess::~InitProcess() {
  if (pid_ == 0) return;
  (void)sys::pidfd_send_signal(pidfd_, SIGKILL);  // already gone is what we want
  (void)reap();
}

Result<sys::ExitStatus> InitProcess::reap() {
  pid_ = 0;
  return sys::wait_exited(pidfd_);
}

Result<InitProcess> spawn_init(const SpawnRequest& request) {
  Child child{
      .releases_launcher = can_release(request),
      .init_memfd = request.init_memfd.get(),
      .sync = request.sync.get(),
      .inherited = request.inherited.data(),
      .inherited_count = request.inherited.size(),
      .plan_number = decimal(request.plan_memfd.get()),
      .sync_number = decimal(request.sync.get()),
      .waits_for_maps = request.waits_for_maps,
      .closed_while_waiting = request.closed_while_waiting.data(),
      .closed_count = request.closed_while_waiting.size(),
      .root_uid = request.root_uid,
      .root_gid = request.root_gid,
  };

  [[gnu::section(".bss.large")]] alignas(64) static std::array<char, kStackSize> stack;
  int pidfd = -1;
  clone_args args{};
  args.flags = request.clone_flags | CLONE_PIDFD;
  // Like vfork: no page table is copied, and we go on when init is executed. Not when the child has to wait
  // for what we do next, or for a thaw: nothing but SIGKILL gets us out of that.
  if (shares_memory(request)) args.flags |= CLONE_VM | CLONE_VFORK;
  if (request.cgroup >= 0) {
    args.flags |= kIntoCgroup;
    args.cgroup = static_cast<std::uint64_t>(request.cgroup);
  }
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  args.stack = reinterpret_cast<std::uint64_t>(stack.data());
  args.stack_size = stack.size();

  const BorrowedOomScore oom_score = TRY(BorrowedOomScore::set(request.oom_score_adj));
  const BorrowedAffinity affinity = TRY(BorrowedAffinity::set(request.cpus));
  const BorrowedPidNamespace pid_namespace = TRY(BorrowedPidNamespace::enter(request));
  const long pid = request.namespaces != nullptr ? request.namespaces->clone(args, run_child, &child)
                                                 : clone_with_stack(args, run_child, &child);
  if (pid < 0) {
    const int err = static_cast<int>(-pid);
    return Error::system("clone3", err).hint(hint_for(err, request));
  }
  return InitProcess(UniqueFd(pidfd), static_cast<pid_t>(pid));
}

}  // namespace capsule::launch
