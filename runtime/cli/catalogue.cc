#include "runtime/cli/catalogue.h"

#include <algorithm>
#include <array>

namespace capsule::cli {
namespace {

constexpr Option kHelp{"help", 'h', Takes::nothing, {}, "show this text"};

constexpr auto kGlobals = std::to_array({
    Option{"root", 0, Takes::value, "DIR", "keep the state of containers in DIR"},
    Option{"log", 0, Takes::value, "FILE", "write the log to FILE, syslog:IDENT or journald:IDENT"},
    Option{"log-format", 0, Takes::value, "FORMAT", "text or json (default: text)"},
    Option{"log-level", 0, Takes::value, "LEVEL", "error, warning, info or debug (default: error)"},
    Option{"debug", 0, Takes::nothing, {}, "the same as --log-level debug"},
    Option{"systemd-cgroup", 0, Takes::nothing, {}, "the same as --cgroup-manager systemd"},
    Option{"cgroup-manager", 0, Takes::value, "NAME", "cgroupfs, systemd or disabled (default: cgroupfs)"},
    Option{"rootless", 0, Takes::value, "BOOL",
           "true, false or auto; accepted, and always decided by what the kernel allows"},
    Option{"version", 'v', Takes::nothing, {}, "print the version"},
    Option{"version", 'V'},
});

constexpr Option kBundle{"bundle", 'b', Takes::value, "DIR", "the bundle (default: the current directory)"};
constexpr Option kConfig{"config", 'f', Takes::value, "FILE",
                         "read FILE instead of config.json in the bundle"};
constexpr Option kConsoleSocket{"console-socket", 0, Takes::value, "PATH",
                                "send the terminal's master to this unix socket"};
constexpr Option kPidfdSocket{"pidfd-socket", 0, Takes::value, "PATH",
                              "send a pidfd of the process to this unix socket"};
constexpr Option kPidFile{"pid-file", 0, Takes::value, "FILE", "write the process id to FILE"};
constexpr Option kNoPivot{
    "no-pivot", 0, Takes::nothing, {}, "change the root without pivot_root(2), for a bundle on a ramdisk"};
constexpr Option kNoNewKeyring{"no-new-keyring", 0, Takes::nothing, {}, "keep the caller's session keyring"};
constexpr Option kPreserveFds{"preserve-fds", 0, Takes::value, "N",
                              "pass N more descriptors on, from 3 upward"};
constexpr Option kFormat{"format", 'f', Takes::value, "FORMAT", "table or json (default: table)"};

constexpr auto kCreate = std::to_array({
    kBundle, kConfig, kConsoleSocket, kPidfdSocket, kPidFile, kNoPivot, kNoNewKeyring, kPreserveFds,
    Option{"detach",
           'd'},  // engines share one list of options between create and run; create always detaches
    Option{"no-subreaper"},  // and never becomes a subreaper
});
constexpr auto kRun = std::to_array({
    kBundle,
    kConfig,
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    kNoPivot,
    kNoNewKeyring,
    kPreserveFds,
    Option{"detach", 'd', Takes::nothing, {}, "return as soon as the program runs"},
    Option{"keep", 0, Takes::nothing, {}, "do not delete the container when the program ends"},
    Option{"no-subreaper", 0, Takes::nothing, {}, "do not adopt orphaned processes of the container"},
});
constexpr auto kExec = std::to_array({
    Option{"process", 'p', Takes::value, "FILE", "take the process from FILE, an OCI process object"},
    Option{"cwd", 0, Takes::value, "DIR", "the working directory"},
    Option{"env", 'e', Takes::values, "NAME=VALUE", "set a variable; may be repeated"},
    Option{"tty", 't', Takes::nothing, {}, "give the process a terminal"},
    Option{"user", 'u', Takes::value, "UID[:GID]", "run as this user, in numbers"},
    Option{"additional-gids", 'g', Takes::values, "GID", "add a supplementary group; may be repeated"},
    Option{"detach", 'd', Takes::nothing, {}, "return as soon as the program runs"},
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    Option{"process-label", 0, Takes::value, "LABEL", "run with this SELinux label"},
    Option{"apparmor", 0, Takes::value, "PROFILE", "run with this AppArmor profile"},
    Option{"no-new-privs", 0, Takes::nothing, {}, "forbid the process to gain privileges"},
    Option{"cap", 'c', Takes::values, "CAP", "add a capability; may be repeated"},
    kPreserveFds,
    Option{"cgroup", 0, Takes::value, "PATH", "run in this cgroup below the container's"},
    Option{"ignore-paused",
           0,
           Takes::nothing,
           {},
           "go ahead in a paused container; the process waits for resume"},
});
constexpr Option kRegex{
    "regex", 'r', Takes::nothing, {}, "every container whose id matches this POSIX extended expression"};
constexpr auto kKill =
    std::to_array({Option{"all", 'a', Takes::nothing, {}, "signal every process of the container"}, kRegex});
constexpr auto kDelete = std::to_array(
    {Option{"force", 'f', Takes::nothing, {}, "kill the container first if it still runs"}, kRegex});
constexpr auto kList =
    std::to_array({kFormat, Option{"quiet", 'q', Takes::nothing, {}, "print identifiers only"}});
constexpr auto kPs = std::to_array({kFormat});
constexpr auto kEvents = std::to_array({
    Option{"interval", 0, Takes::value, "DURATION", "how often to print what it uses (default: 5s)"},
    Option{"stats", 0, Takes::nothing, {}, "print once what it uses, and end"},
});
constexpr auto kUpdate = std::to_array({
    Option{"resources", 'r', Takes::value, "FILE",
           "take all limits from FILE, an OCI resources object, and none from options; - is standard input"},
    Option{"blkio-weight", 0, Takes::value, "N", "weight of block devices, 10 to 1000"},
    Option{"cpu-period", 0, Takes::value, "US", "the period that the quota is for, in microseconds"},
    Option{"cpu-quota", 0, Takes::value, "US", "processor time in a period; -1: no limit"},
    Option{"cpu-burst", 0, Takes::value, "US", "unused time that may be spent later"},
    Option{"cpu-share", 0, Takes::value, "N", "shares of the processors, 2 to 262144"},
    Option{"cpu-rt-period", 0, Takes::value, "US", "accepted; without effect under cgroup v2"},
    Option{"cpu-rt-runtime", 0, Takes::value, "US", "accepted; without effect under cgroup v2"},
    Option{"cpu-idle", 0, Takes::value, "0|1", "1: run only when nobody else wants to"},
    Option{"cpuset-cpus", 0, Takes::value, "LIST", "processors to run on"},
    Option{"cpuset-mems", 0, Takes::value, "LIST", "memory nodes to use"},
    Option{"kernel-memory", 0, Takes::value, "SIZE"},  // cgroup v1
    Option{"kernel-memory-tcp", 0, Takes::value, "SIZE"},
    Option{"memory", 0, Takes::value, "SIZE", "memory limit: bytes, or with k, m, g; -1: no limit"},
    Option{"memory-reservation", 0, Takes::value, "SIZE", "memory that is spared from reclaim"},
    Option{"memory-swap", 0, Takes::value, "SIZE", "memory and swap together; -1: no limit to swap"},
    Option{"pids-limit", 0, Takes::value, "N", "processes and threads; -1: no limit"},
    Option{"l3-cache-schema", 0, Takes::value, "LINES", "shares of the cache (Intel RDT)"},
    Option{"mem-bw-schema", 0, Takes::value, "LINES", "shares of the memory bandwidth (Intel RDT)"},
});
constexpr auto kSpec = std::to_array({
    Option{"bundle", 'b', Takes::value, "DIR", "write config.json in DIR (default: the current directory)"},
    Option{"file", 'f', Takes::value, "FILE", "write to FILE, replacing what is there"},
    Option{"rootless", 0, Takes::nothing, {}, "for a user without privileges"},
});
constexpr auto kPlan = std::to_array({kBundle, kConfig, kNoPivot, kPreserveFds});

constexpr FixedText<60> kId = "<container-id>";

constexpr auto kCommands = std::to_array({
    Command{.name = "create", .summary = "create a container", .arguments = kId, .options = Options::create},
    Command{.name = "start", .summary = "run the program of a created container", .arguments = kId},
    Command{
        .name = "run", .summary = "create and start a container", .arguments = kId, .options = Options::run},
    Command{.name = "state", .summary = "print the state of a container", .arguments = kId},
    Command{.name = "kill",
            .summary = "send a signal to a container (default: TERM)",
            .arguments = "<container-id> [signal]",
            .max_arguments = 2,
            .options = Options::kill},
    Command{.name = "delete",
            .summary = "remove a stopped container",
            .arguments = kId,
            .options = Options::remove},
    Command{.name = "list",
            .summary = "list containers",
            .arguments = "",
            .min_arguments = 0,
            .max_arguments = 0,
            .options = Options::list},
    Command{.name = "exec",
            .summary = "run another program in a container",
            .arguments = "<container-id> <command> [argument]...",
            .max_arguments = kAnyNumber,
            .options_end_at_first_argument = true,
            .options = Options::exec},
    Command{.name = "ps",
            .summary = "list the processes of a container",
            .arguments = "<container-id> [option of ps(1)]...",
            .max_arguments = kAnyNumber,
            .options_end_at_first_argument = true,
            .options = Options::ps},
    Command{.name = "events",
            .summary = "print what a container uses, and when it ran out of memory, as JSON",
            .arguments = kId,
            .options = Options::events},
    Command{.name = "mounts",
            .summary = "mount or unmount in a container that lives",
            .arguments = "add|remove <container-id> <file with an array of mounts>",
            .min_arguments = 3,
            .max_arguments = 3},
    Command{.name = "pause", .summary = "freeze all processes of a container", .arguments = kId},
    Command{.name = "resume", .summary = "thaw a paused container", .arguments = kId},
    Command{.name = "update",
            .summary = "change the limits of a container",
            .arguments = kId,
            .options = Options::update},
    Command{.name = "spec",
            .summary = "write a config.json to start from",
            .arguments = "",
            .min_arguments = 0,
            .max_arguments = 0,
            .options = Options::spec},
    Command{.name = "features",
            .summary = "print what this runtime supports",
            .arguments = "",
            .min_arguments = 0,
            .max_arguments = 0},
    Command{.name = "plan",
            .summary = "print what create would do, step by step",
            .arguments = "[container-id]",
            .min_arguments = 0,
            .max_arguments = 1,
            .hidden = true,
            .options = Options::plan},
});

}  // namespace

std::span<const Option> global_options() {
  return kGlobals;
}
// In code: a pointer in each command would be a word to relocate at every start, and kCommands would lie in
// pages of the process's own.
std::span<const Option> options_of(const Command& command) {
  switch (command.options) {
    case Options::none:
      return {};
    case Options::create:
      return kCreate;
    case Options::run:
      return kRun;
    case Options::exec:
      return kExec;
    case Options::kill:
      return kKill;
    case Options::remove:
      return kDelete;
    case Options::list:
      return kList;
    case Options::ps:
      return kPs;
    case Options::events:
      return kEvents;
    case Options::update:
      return kUpdate;
    case Options::spec:
      return kSpec;
    case Options::plan:
      return kPlan;
  }
  return {};
}
std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto* found =
      std::find_if(kCommands.begin(), kCommands.end(), [name](const Command& c) { return c.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

const Option* find_option(std::span<const Option> options, std::string_view name) {
  if (name == kHelp.name) return &kHelp;
  const auto found =
      std::find_if(options.begin(), options.end(), [name](const Option& o) { return o.name == name; });
  return found == options.end() ? nullptr : &*found;
}

const Option* find_option(std::span<const Option> options, char letter) {
  if (letter == kHelp.letter) return &kHelp;
  const auto found = std::find_if(options.begin(), options.end(),
                                  [letter](const Option& o) { return o.letter != 0 && o.letter == letter; });
  return found == options.end() ? nullptr : &*found;
}

}  // namespace capsule::cli
