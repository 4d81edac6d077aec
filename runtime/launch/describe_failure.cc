// Init's failure records, worded. The texts that engines match (executable file not found in $PATH, …) are
// theirs to the letter.
#include <cerrno>
#include <string>

#include "runtime/base/text.h"
#include "runtime/launch/sync_socket.h"
#include "runtime/plan/fields.h"

namespace capsule::launch {
namespace {

using protocol::Failure;
using protocol::Problem;

// What the step was for, in the user's words; empty: the call and its object say it all.
std::string_view purpose_of(plan::StepKind kind) {
  using plan::StepKind;
  switch (kind) {
    case StepKind::join_namespace:
      return "join namespace";
    case StepKind::unshare:
      return "make namespaces";
    case StepKind::fork_init:
      return "make the pid namespace";
    case StepKind::new_time_namespace:
      return "make the time namespace";
    case StepKind::loopback_up:
      return "set up the loopback device";
    case StepKind::session_keyring:
      return "join a session keyring";
    case StepKind::prepare_root:
      return "prepare the rootfs";
    case StepKind::mount_filesystem:
      return "mount";
    case StepKind::bind:
      return "bind mount";
    case StepKind::set_attributes:
      return "set mount attributes";
    case StepKind::reconfigure:
      return "remount";
    case StepKind::unmount:
      return "unmount";
    case StepKind::open_dev:
    case StepKind::device_node:
      return "make device";
    case StepKind::symlink:
      return "make link";
    case StepKind::mask:
      return "mask path";
    case StepKind::make_readonly:
      return "make path read-only";
    case StepKind::make_cwd:
      return "make the working directory";
    case StepKind::console:
      return "set up the terminal";
    case StepKind::pivot:
    case StepKind::enter_root:
      return "enter the rootfs";
    case StepKind::sysctl:
      return "write sysctl";
    case StepKind::confine:
      return "become the container's user";
    case StepKind::seccomp:
      return "install the seccomp filter";
    default:
      return {};
  }
}

std::string prefix_of(const Failure& f) {
  std::string text;
  if (f.field[0] != '\0') text.append(f.field).append(": ");
  const std::string_view purpose = purpose_of(static_cast<plan::StepKind>(f.kind));
  if (!purpose.empty()) text.append(purpose).append(": ");
  return text;
}

// Podman tells a refused SELinux label by these words, back quotes included.
std::string describe_label(const Failure& f) {
  std::string text = cat({f.field, ": write to `/proc/self/", f.call, "`: ", describe_errno(f.err)});
  const std::string_view label = f.object;
  const std::string_view profile = label.substr(label.find(' ') + 1);
  const bool is_apparmor = std::string_view(f.field).ends_with("/apparmorProfile");
  if (is_apparmor && f.err == ENOENT) {
    return text.append(
        cat({"; the AppArmor profile ", quoted(profile),
             " is not loaded: `apparmor_parser -r FILE` loads it, `aa-status` lists what is"}));
  }
  return text.append(cat({"; refused was ", quoted(is_apparmor ? profile : label)}));
}

std::string describe_system_call(const Failure& f) {
  const auto kind = static_cast<plan::StepKind>(f.kind);
  const std::string reason = describe_errno(f.err);
  if (kind == plan::StepKind::find_executable)
    return cat({"exec: ", quoted(f.object), ": stat ", f.object, ": ", reason});
  if (kind == plan::StepKind::security_label) return describe_label(f);
  if (kind == plan::StepKind::exec) {
    std::string text = cat({"exec ", f.object, ": ", reason});
    if (f.err == ENOENT)
      text.append(
          "; the program exists, so its interpreter (dynamic loader or #! line) is what is missing in the "
          "rootfs");
    return text;
  }
  if (kind == plan::StepKind::change_directory) {
    return cat({"chdir to cwd (", quoted(f.object), ") set in config.json failed: ", reason});
  }
  std::string text = cat({prefix_of(f), Error::system(f.call, f.err, f.object).message()});
  if (kind == plan::StepKind::session_keyring && f.err == EDQUOT) {
    text.append(
        "; the kernel's key quota is used up: see /proc/key-users and the sysctls kernel.keys.maxkeys and "
        "maxbytes, or use --no-new-keyring");
  }
  if (kind == plan::StepKind::seccomp && f.err == EINVAL && f.object[0] != '\0')
    text.append("; this kernel does not know the flag");
  if (kind == plan::StepKind::seccomp && f.err == EBUSY)
    text.append("; a filter that notifies is in force already, and there can be only one");
  return text;
}

std::string describe_hook(const Failure& f) {
  std::string end;
  if (f.problem == Problem::hook_failed) end = cat({"exit status ", std::to_string(f.err)});
  if (f.problem == Problem::hook_killed) end = cat({"killed by signal ", std::to_string(f.err)});
  if (f.problem == Problem::hook_timed_out)
    end = cat({"ran past its timeout of ", std::to_string(f.err / 1000), " s"});
  return cat({"error running hook ", f.field, ": ", end, ", output: ", f.object});
}

std::string describe(const Failure& f) {
  switch (f.problem) {
    case Problem::system_call:
      return describe_system_call(f);
    case Problem::bad_plan:
      return "container init was given a plan that it cannot read; this is a bug in capsule";
    case Problem::not_in_path:
      return cat({"exec: ", quoted(f.object), ": executable file not found in $PATH"});
    case Problem::is_directory:
      // Ends like this, capital letter included: Podman and Docker tell the case by it.
      return cat({"exec: ", quoted(f.object), ": is a directory: the path `", f.object,
                  "` is not a regular file: Operation not permitted"});
    case Problem::not_executable:
      return cat({"exec: ", quoted(f.object), ": ", describe_errno(f.err)});
    case Problem::escaped_cwd:
      return cat({"current working directory is outside of container mount namespace root (process.cwd ",
                  quoted(f.object), "): possible container breakout detected"});
    case Problem::symlinked_target:
      return cat(
          {prefix_of(f), quoted(f.object), " must be an ordinary directory without symlinks in the rootfs"});
    case Problem::below_proc:
      return cat({prefix_of(f), quoted(f.object), " cannot be mounted because it lies inside /proc"});
    case Problem::proc_is_not_procfs:
      return cat({prefix_of(f), quoted(f.object), " cannot be mounted because it is not of type proc"});
    case Problem::not_a_mount_point:
      return cat({prefix_of(f), quoted(f.object), " is not a mount point"});
    case Problem::not_procfs:
      return "the host's /proc is not a proc file system";
    case Problem::not_dev_null:
      return "the host's /dev/null is not the null device";
    case Problem::not_a_pty:
      return cat({prefix_of(f), quoted(f.object), " is not the multiplexer of a devpts file system"});
    case Problem::wrong_device:
      return cat({prefix_of(f), quoted(f.object), " exists and is not the device that is asked for"});
    case Problem::hook_failed:
    case Problem::hook_killed:
    case Problem::hook_timed_out:
      return describe_hook(f);
    case Problem::unexpected_line:
      return cat({"container init was told something else than ", f.object});
    case Problem::unmapped_id:
      return cat({f.field[0] != '\0' ? std::string(f.field) + ": " : std::string(), "cannot set ", f.object,
                  ": ", describe_errno(f.err), "; is it mapped in the container's user namespace?"});
  }
  return "container init failed in an unknown way";
}

}  // namespace

Error describe_failure(const Failure& failure) {
  // Init itself could not be executed, and no plan had begun. The launcher asks for the number.
  if (failure.problem == Problem::system_call && std::string_view(failure.call) == "execveat")
    return Error::system(failure.call, failure.err, "container init");
  const bool is_of_hook = static_cast<plan::StepKind>(failure.kind) == plan::StepKind::run_hook;
  return is_of_hook ? Error::hook(describe(failure)) : Error::peer(describe(failure));
}

}  // namespace capsule::launch
