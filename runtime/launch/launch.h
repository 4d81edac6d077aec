// Making a process inside a container. The only folder that clones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/container.h"

namespace capsule::launch {

enum class CgroupManager : std::uint8_t { cgroupfs, systemd, disabled };

// What `create` and `run` are told on the command line. Empty strings are options not given.
struct LaunchOptions {
  std::string id;
  std::string bundle;  // directory; empty: the current one
  std::string config;  // instead of <bundle>/config.json
  std::string console_socket;
  std::string pidfd_socket;
  std::string pid_file;
  bool no_pivot = false;
  bool no_new_keyring = false;
  std::uint32_t preserve_fds = 0;
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  // run only
  bool detach = false;
  bool keep = false;
  bool no_subreaper = false;
};

// `create`: everything but the user's program, which waits for `start`. On failure nothing is left behind.
Status create_container(const container::Store& store, const LaunchOptions& options);

// `run`: create and start; in the foreground waits and returns the exit code (128+N for a signal), detached
// returns 0.
Result<int> run_container(const container::Store& store, const LaunchOptions& options);

// `start`: opens the gate, reports if the program could not be executed, runs poststart hooks.
Status start_container(const container::Store& store, const std::string& id);

// `delete`: container::remove with the poststop hooks of the frozen config, whose failures are warnings.
Status delete_container(const container::Store& store, const std::string& id, bool force);

// `exec`. Without a process file the frozen config's process is the base and the other members change it.
struct ExecOptions {
  std::string id;
  std::string process_file;  // -p
  std::vector<std::string> args;
  std::string cwd;
  std::vector<std::string> env;
  bool tty = false;
  std::optional<std::uint32_t> uid, gid;  // -u uid[:gid]
  std::vector<std::uint32_t> additional_gids;
  std::string console_socket;
  std::string pidfd_socket;
  std::string pid_file;
  std::string process_label;
  std::string apparmor;
  std::optional<bool> no_new_privs;
  std::vector<std::string> capabilities;
  std::uint32_t preserve_fds = 0;
  std::string cgroup;  // --cgroup [controller:]PATH, below the container's
  bool detach = false;
  bool ignore_paused = false;
};
// The exit code of the process, or 0 when detached.
Result<int> exec_process(const container::Store& store, const ExecOptions& options);

// `mounts add` and `mounts remove` of a created or running container: `file` holds an array of mounts as
// config.json does, of which removing looks at the destinations alone. Added all or, if one fails, none; not
// remembered: a container that is created again has those of its config.
Status add_mounts(const container::Store& store, const std::string& id, const std::string& file);
Status remove_mounts(const container::Store& store, const std::string& id, const std::string& file);

// `plan` (hidden): the plan of a launch as text, nothing performed.
Result<std::string> describe_launch(const container::Store& store, const LaunchOptions& options);

}  // namespace capsule::launch
