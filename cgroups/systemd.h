// Containers as units of systemd: asked for, changed and stopped.
//
// A scope can only be made around a process, and the container's first one is to be born inside its limits.
// So a keeper is forked: it talks to systemd, is moved into the scope it asked for, and stays until the
// container's own process has been cloned there. Whoever changes or stops a unit talks through such a process
// too: it is in a user namespace where the bus believes who it is, and can be killed whatever libdbus waits
// for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cgroups/systemd_properties.h"
#include "cgroups/systemd_request.h"
#include "cgroups/systemd_unit.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// Whose systemd is asked.
struct ManagerFacts {
  Manager manager = Manager::system;
  std::uint32_t uid = 0;           // of the user as its manager knows it, outside of our user namespace
  bool in_user_namespace = false;  // our own number is another one
};
// PID 1 for root; for everybody else, root in a user namespace included, the user's own.
Result<ManagerFacts> probe_manager();
// The same from what /proc/self/uid_map says (user_namespaces(7)): pure.
ManagerFacts manager_of(std::uint32_t euid, std::string_view uid_map);

struct ScopePlan {
  ScopeName name;
  std::string path;         // where its cgroup is expected, below the cgroup2 mount point
  std::string sub_cgroup;   // below it, for the container's processes; empty: they live in the scope itself
  std::string description;  // "capsule container c1"
  std::vector<PlannedProperty> limits;
  std::vector<UnitProperty> annotations;  // last: they may overrule
};

// For `capsule plan`: the unit and what it is given, a line each.
std::string describe_scope(const ScopePlan& plan);

// The process that speaks to systemd. Killed and reaped when its owner goes.
class Keeper {
 public:
  Keeper() = default;
  Keeper(Keeper&& other) noexcept;
  Keeper& operator=(Keeper&& other) noexcept;
  ~Keeper();

  // A new process asks for `request`; it dies with us.
  static Result<Keeper> start(const ManagerFacts& facts, const SystemdRequest& request);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Readable once the conversation is over.
  [[nodiscard]] FdRef answer() const noexcept { return answer_; }
  // Waits for it; at most kSystemdTimeoutMs and some.
  Status finish();

 private:
  void end() noexcept;
  pid_t pid_ = 0;
  UniqueFd answer_;
};

// A container's scope while it is made: stopped again unless kept.
class Scope {
 public:
  Scope() = default;
  Scope(Scope&& other) noexcept;
  Scope& operator=(Scope&& other) noexcept;
  ~Scope();

  // Asks for it. Once answer() is readable, finish() tells what came of it.
  //   mount   of the cgroup2 hierarchy, where a later stop looks whether there is anything to stop
  static Result<Scope> begin(const ManagerFacts& facts, const ScopePlan& plan, const std::string& mount);
  [[nodiscard]] FdRef answer() const noexcept { return keeper_.answer(); }
  //   returns   where its cgroup is, below the mount
  Result<std::string> finish();
  [[nodiscard]] pid_t keeper() const noexcept { return keeper_.pid(); }
  void release_keeper() noexcept { keeper_ = Keeper(); }  // another process lives in it now
  void keep() noexcept { unit_.clear(); }

 private:
  void undo() noexcept;
  ManagerFacts facts_;
  std::string unit_, mount_, path_;
  Keeper keeper_;
};

// A user's manager can only be followed into from below it: a session's processes (ssh, a console) lie
// beside. Then we are moved into a scope of our own there, as `systemd-run --user --scope` does.
Status enter_user_manager(const ManagerFacts& facts, const std::string& own_path);

// Stops it, waits until it is gone, and has systemd forget it.
Status stop_unit(const ManagerFacts& facts, const std::string& unit);

Status set_unit_limits(const ManagerFacts& facts,
                       const std::string& unit,
                       const std::vector<PlannedProperty>& limits);

}  // namespace capsule::cgroups
