// A container that already exists: its record, its lock, its status, and what can be done to it without
// making a process inside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/cgroup.h"
#include "cgroups/rdt.h"
#include "runtime/base/fd.h"
#include "runtime/base/pidfd.h"
#include "runtime/base/result.h"
#include "spec/write.h"

namespace capsule::container {

inline constexpr const char* kStateName = "state.json";
inline constexpr const char* kFilterName =
    "seccomp.bpf";  // process::encode_program(); none without a profile
inline constexpr const char* kConfigName = "config.json";
inline constexpr const char* kGateName = "gate";
inline constexpr const char* kInitName = "capsule-init";  // of the file in memory that init runs

// Its first process; of a record without one, none that could be found.
ProcessIdentity process_of(const spec::Record& record);

enum class ContainerStatus : unsigned char { creating, created, running, paused, stopped };
std::string_view name_of(ContainerStatus status);

// Letters, digits and "_+-."; not empty, not "." or "..", short enough for a file name.
//   fails   runc's words: "container id cannot be empty", "invalid container ID format: …"
Status check_id(std::string_view id);

// <root>/<id>/: state.json (Record), config.json (frozen copy), gate (the socket init waits at; there from
// create until start). 0711/0700, root's.
class Store {
 public:
  // `root` as given by --root (made absolute) or the default: /run/capsule for root, $XDG_RUNTIME_DIR/capsule
  // otherwise, which includes a user who is root in a user namespace of their own. Nothing is made.
  static Result<Store> open(std::optional<std::string> root);
  [[nodiscard]] const std::string& root() const { return root_; }
  // Of a root that has to be made: 0711; below XDG_RUNTIME_DIR 01700, since its sweeper spares what is
  // sticky.
  [[nodiscard]] mode_t root_mode() const;
  // Ids of all entries, sorted; some may be gone or half made by the time they are opened. A root that does
  // not exist: empty if it is the default, else an error.
  [[nodiscard]] Result<std::vector<std::string>> ids() const;

 private:
  explicit Store(std::string root, bool is_default) : root_(std::move(root)), is_default_(is_default) {}
  std::string root_;
  bool is_default_;
};

// A record being made by `create` or `run`: on disk before any process or cgroup exists, so that `delete` can
// always find what is there. Removed unless kept.
class Record {
 public:
  // Makes <root> (0711) and <root>/<id> (0711; its mkdir is the lock against a second create), locks it, and
  // writes state.json with pid 0.
  //   fails   wrong_state "container with given ID already exists"
  static Result<Record> begin(const Store& store, spec::Record record);
  Record(Record&&) noexcept;
  Record& operator=(Record&&) noexcept;
  ~Record();

  [[nodiscard]] FdRef dir() const noexcept { return dir_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // Whether it is gone after a reboot, as below /run.
  [[nodiscard]] bool is_in_memory() const;
  // Completes state.json with the first process and the cgroup.
  Status write(const spec::Record& record);
  // The same in two: what takes time while init is busy, and the rename once it is ready.
  Status prepare(const spec::Record& record);
  // config.json for later commands; of a seccomp profile without the rules, which are in the filter.
  Status keep_config(std::string_view json);
  // The compiled filter, for later processes of the container.
  Status keep_filter(std::string_view encoded);
  Status commit();
  void keep() noexcept;
  // Lets other commands at the container, whose directory stays open for Container::reopen().
  Status unlock();

 private:
  friend class Container;
  Record() = default;
  Status put(const char* name, std::string_view bytes);
  UniqueFd dir_;  // locked with flock(LOCK_EX) while this lives
  std::string path_;
  bool kept_ = true;
};

// An existing container, opened by id.
class Container {
 public:
  enum class Lock : unsigned char { none, exclusive };  // `state` and `list` must never wait for a lock
  //   fails   not_found "container does not exist" (with the id); wrong_state if another command keeps the
  //   lock for more than 10 s
  static Result<Container> open(const Store& store, const std::string& id, Lock lock);
  // By who made it and has let go of the lock since; locked again. Nothing is read.
  //   data    as `record` has committed it
  //   fails   not_found if somebody has removed it meanwhile, whatever has the id now
  static Result<Container> reopen(Record record, spec::Record data);

  [[nodiscard]] const spec::Record& record() const { return record_; }
  [[nodiscard]] FdRef dir() const noexcept { return dir_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // Derived, never stored: the init process (pid and start time), the cgroup's freezer, and whether the gate
  // is still there.
  [[nodiscard]] ContainerStatus status() const { return status(lives(process_of(record_))); }
  // The same for who has asked for init() already.
  [[nodiscard]] ContainerStatus status(bool init_lives) const;
  // The init process if it lives.
  [[nodiscard]] Result<Pidfd> init() const;  // fails: wrong_state "container not running"
  [[nodiscard]] Result<std::string> frozen_config() const;
  [[nodiscard]] Result<std::string> kept_filter() const;  // as Record::keep_filter() was told it
  [[nodiscard]] Result<UniqueFd> cgroup() const;          // fails: wrong_state if it has none

  // What `state` and `list` print; owner is filled only by `list`.
  [[nodiscard]] spec::ContainerState state() const { return state(status()); }
  // The same for who has asked for the status already.
  [[nodiscard]] spec::ContainerState state(ContainerStatus now) const;
  // For `list`: the user who owns the state directory, by name, or "#1000" if /etc/passwd does not know it.
  [[nodiscard]] std::string owner() const;

 private:
  Container() = default;
  UniqueFd dir_;
  std::string path_;
  spec::Record record_;
  bool being_made_ = false;  // no process yet, and somebody holds the lock: `create` is at work
};

// Its groups in resctrl; empty for most.
cgroups::RdtGroup rdt_group_of(const spec::Record& record);

// ---- verbs

struct KillOptions {
  int signal = 15;
  bool all = false;
};
// To init; with `all`, and with SIGKILL where init has no pid namespace to take everything with it, to the
// whole cgroup. After SIGKILL a paused container is thawed. With `all`, a container that has nothing left to
// signal is success.
//   fails   wrong_state "container not running"
Status kill(const Container& container, const KillOptions& options);
//   fails   wrong_state "container not running"
Status pause(const Container& container);
//   fails   wrong_state "container not paused"
Status resume(const Container& container);

// What `update` changes; what is absent stays as it is.
struct Change {
  spec::LinuxResources resources;                             // device rules are not looked at
  std::optional<std::string> l3_cache_schema, mem_bw_schema;  // of /linux/intelRdt
};
// Changes the limits of a container that is not stopped, and its frozen configuration with them: everything
// or nothing. `container` is locked.
//   fails   wrong_state "container not running"; with the JSON pointer of the limit that was refused
Status update(const Container& container, const Change& change);

// Host pids of everything in the container, ascending; none if it is stopped and nothing is left in its
// cgroup.
Result<std::vector<std::int64_t>> read_pids(const Container& container);

// Stops what runs (force; a created container without it), removes cgroup, systemd's unit and state
// directory. What a killed `create` left goes too; without a record that takes force. With force, an unknown
// id is success.
//   run_poststop   called once everything is stopped and before the record goes; its failures are its own to
//   log; may be empty fails          not_found "container does not exist"; wrong_state "cannot delete
//   container X that is not stopped: running"
Status remove(const Store& store,
              const std::string& id,
              bool force,
              const std::function<void(const Container&)>& run_poststop);
// The same for a locked container whose init the caller has seen end.
Status remove_ended(const Container& container, const std::function<void(const Container&)>& run_poststop);

}  // namespace capsule::container
