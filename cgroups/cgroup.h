// A container's cgroup: made, filled with limits, frozen, killed, removed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cgroups/facts.h"
#include "cgroups/plan.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// Owns a cgroup directory: removes what it made unless kept.
class Cgroup {
 public:
  Cgroup() = default;
  Cgroup(Cgroup&& other) noexcept;
  Cgroup& operator=(Cgroup&& other) noexcept;
  ~Cgroup();  // unless kept: kills what is inside and removes every level that create() made

  // Makes `path` below the hierarchy, with the controllers of `needs` enabled in each parent down the path,
  // and the rest where the kernel lets us.
  //   fails   unsupported, naming the field, the controller and why (hybrid host: still owned by cgroup v1),
  //   if a needed controller is not to be had;
  //           wrong_state "container's cgroup is not empty: N process(es) found", "container's cgroup
  //           unexpectedly frozen" if it exists in use
  static Result<Cgroup> create(const Facts& facts, const std::string& path, const std::vector<Need>& needs);

  // The cgroup of a scope that systemd has made, or `sub_cgroup` made below it, where `keeper`, the only
  // process in the scope, is moved. Controllers and failures as with create(); what systemd made is left to
  // systemd.
  static Result<Cgroup> adopt(const Facts& facts,
                              const std::string& path,
                              const std::string& sub_cgroup,
                              pid_t keeper,
                              const std::vector<Need>& needs);

  // O_PATH is not enough for CLONE_INTO_CGROUP: opened O_RDONLY | O_DIRECTORY.
  [[nodiscard]] FdRef dir() const noexcept { return dir_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] Status apply(const std::vector<Write>& writes) const;  // context: the field
  void keep() noexcept { kept_ = true; }

 private:
  Cgroup(std::string mount, std::string path)
      : mount_(std::move(mount)), path_(std::move(path)), kept_(false) {}
  enum class Occupied : unsigned char { refused, expected };
  static Result<Cgroup> make(const Facts& facts, const std::string& path, Occupied occupied);
  Result<UniqueFd> make_level(FdRef parent, const std::string& path, Occupied occupied);
  Status check(const Facts& facts, const std::vector<Need>& needs) const;
  Status descend(const Facts& facts, const std::string& name, pid_t process);
  void undo() noexcept;

  UniqueFd dir_;
  std::string mount_;
  std::string path_;
  std::vector<std::string> made_;  // paths below the mount point, outermost first
  bool kept_ = true;
};

// Writes the lines below `cgroup` in their order; usage is checked before anything is written. Also for
// `update`.
//   fails   unsupported, naming the controller, if a file is not there; system with the field as context
Status apply_writes(FdRef cgroup, const std::vector<Write>& writes);

// Gives the cgroup to `uid`, the host's id of the container's user, so that it can make cgroups below: the
// directory and the files the kernel lists in /sys/kernel/cgroup/delegate, and nothing that would let it
// change its own limits.
//   source  config-linux.md#cgroup-ownership
Status apply_owner(FdRef cgroup, uid_t uid);

// All below work on an existing cgroup, opened with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
// RESOLVE_NO_XDEV) (R13). `mount` and `path` as in the record.
Result<UniqueFd> open_cgroup(const std::string& mount, const std::string& path);

enum class FreezeState : unsigned char { thawed, frozen };
// Writes cgroup.freeze and, to freeze, waits until cgroup.events agrees; gives up after `timeout_ms` with an
// error that names who would not stand still, and never leaves it half frozen. Thawing is not waited for:
// below a frozen ancestor nothing would come.
Status write_freeze(FdRef cgroup, FreezeState state, int timeout_ms);
// Of cgroup.freeze itself, so that a frozen parent does not count; by descriptor, or by place where nothing
// else is asked of the cgroup.
Result<FreezeState> read_freeze(FdRef cgroup);
Result<FreezeState> read_freeze(const std::string& mount, const std::string& path);
Result<bool> read_populated(FdRef cgroup);  // cgroup.events
// All processes in the cgroup and below it (host pids), in no order.
Result<std::vector<pid_t>> read_pids(FdRef cgroup);
// Counter of memory.events "oom_kill", 0 without the memory controller.
std::uint64_t read_oom_kills(FdRef cgroup);

// Whether the kernel refused memory here because of the limit: memory.events "max" counts that.
bool is_at_memory_limit(FdRef cgroup);

// SIGKILL to everything inside: cgroup.kill (Linux 5.14) and then to each that is left, or freeze, kill each,
// thaw.
Status kill_all(FdRef cgroup);
// Sends `signal` to every process inside, by pidfd, holding them frozen meanwhile so that no fork escapes.
Status signal_all(FdRef cgroup, int signal);

// Removes the cgroup and everything below it, after killing what is left inside if `kill`. Waits for
// stragglers by polling cgroup.events, at most timeout_ms; then the error names the pids that remain. A
// cgroup that is not there is success.
Status remove(const std::string& mount, const std::string& path, bool kill, int timeout_ms);

}  // namespace capsule::cgroups
