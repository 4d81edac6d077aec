#include <cerrno>
#include <csignal>
#include <cstring>

#include "runtime/launch/sync_socket.h"
#include "runtime/plan/plan.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using plan::StepKind;
using protocol::Problem;

struct Case {
  Problem problem;
  StepKind kind;
  int err;
  const char* field;
  const char* call;
  const char* object;
  const char* text;
};

std::string worded(const Case& c) {
  protocol::Failure failure{};
  failure.frame.line = protocol::Line::failed;
  failure.problem = c.problem;
  failure.kind = static_cast<std::uint16_t>(c.kind);
  failure.err = c.err;
  std::strncpy(failure.field, c.field, sizeof(failure.field) - 1);
  std::strncpy(failure.call, c.call, sizeof(failure.call) - 1);
  std::strncpy(failure.object, c.object, sizeof(failure.object) - 1);
  const Error error = describe_failure(failure);
  const bool is_of_hook = failure.kind == static_cast<std::uint16_t>(plan::StepKind::run_hook);
  CHECK(error.kind() == (is_of_hook ? ErrorKind::hook : ErrorKind::peer));
  return error.message();
}

// Engines tell these cases apart by their texts: Docker and Podman turn them into 126 and 127, test suites
// compare them to the letter. errno's letters behind are ours.
TEST_CASE("a program that cannot be run is told in the words that engines match", "[launch][failure]") {
  constexpr auto kFind = StepKind::find_executable;
  for (const Case& c : {
           Case{Problem::not_in_path, kFind, ENOENT, "/process/args/0", "stat", "foo",
                "exec: \"foo\": executable file not found in $PATH"},
           Case{Problem::system_call, kFind, ENOENT, "/process/args/0", "stat", "/foo",
                "exec: \"/foo\": stat /foo: no such file or directory (ENOENT)"},
           Case{Problem::not_executable, kFind, EACCES, "/process/args/0", "access", "/etc/hosts",
                "exec: \"/etc/hosts\": permission denied (EACCES)"},
           Case{Problem::is_directory, kFind, EISDIR, "/process/args/0", "stat", "/etc",
                "exec: \"/etc\": is a directory: the path `/etc` is not a regular file: Operation not "
                "permitted"},
           Case{Problem::system_call, StepKind::exec, ENOEXEC, "/process/args", "execve", "/run.sh",
                "exec /run.sh: exec format error (ENOEXEC)"},
           Case{Problem::system_call, StepKind::exec, ENOENT, "/process/args", "execve", "/run.sh",
                "exec /run.sh: no such file or directory (ENOENT); the program exists, so its interpreter "
                "(dynamic loader or #! line) is what is missing in the rootfs"},
           Case{Problem::system_call, StepKind::change_directory, ENOENT, "/process/cwd", "chdir", "/x",
                "chdir to cwd (\"/x\") set in config.json failed: no such file or directory (ENOENT)"},
           Case{Problem::escaped_cwd, StepKind::change_directory, 0, "/process/cwd", "getcwd",
                "/proc/self/fd/7",
                "current working directory is outside of container mount namespace root (process.cwd "
                "\"/proc/self/fd/7\"): possible container breakout detected"},
       }) {
    CHECK(worded(c) == c.text);
  }
}

TEST_CASE("a step that fails is told by its field, its purpose, the call and errno", "[launch][failure]") {
  for (
      const Case& c : {
          Case{Problem::system_call, StepKind::mount_filesystem, EPERM, "/mounts/3", "fsmount", "proc",
               "/mounts/3: mount: fsmount proc: operation not permitted (EPERM)"},
          Case{Problem::system_call, StepKind::bind, ENOENT, "/mounts/0", "open_tree", "/srv/x",
               "/mounts/0: bind mount: open_tree /srv/x: no such file or directory (ENOENT)"},
          Case{Problem::system_call, StepKind::pivot, EINVAL, "", "pivot_root", "rootfs",
               "enter the rootfs: pivot_root rootfs: invalid argument (EINVAL)"},
          Case{Problem::system_call, StepKind::sysctl, EACCES, "/linux/sysctl/kernel.shmmax", "openat",
               "kernel/shmmax",
               "/linux/sysctl/kernel.shmmax: write sysctl: openat kernel/shmmax: permission denied (EACCES)"},
          Case{Problem::system_call, StepKind::session_keyring, EDQUOT, "", "keyctl", "_ses.c1",
               "join a session keyring: keyctl _ses.c1: disk quota exceeded (EDQUOT); the kernel's key quota "
               "is used up: see /proc/key-users and the sysctls kernel.keys.maxkeys and maxbytes, or use "
               "--no-new-keyring"},
          Case{
              Problem::system_call, StepKind::seccomp, EINVAL, "/linux/seccomp", "seccomp",
              "SECCOMP_FILTER_FLAG_LOG",
              "/linux/seccomp: install the seccomp filter: seccomp SECCOMP_FILTER_FLAG_LOG: invalid argument "
              "(EINVAL); this kernel does not know the flag"},
          Case{Problem::system_call, StepKind::seccomp, EBUSY, "/linux/seccomp", "seccomp", "",
               "/linux/seccomp: install the seccomp filter: seccomp: device or resource busy (EBUSY); a "
               "filter "
               "that notifies is in force already, and there can be only one"},
          Case{Problem::symlinked_target, StepKind::mount_filesystem, ELOOP, "/mounts/0", "openat2", "/proc",
               "/mounts/0: mount: \"/proc\" must be an ordinary directory without symlinks in the rootfs"},
          Case{Problem::below_proc, StepKind::bind, EPERM, "/mounts/1", "openat2", "/proc/self",
               "/mounts/1: bind mount: \"/proc/self\" cannot be mounted because it lies inside /proc"},
          Case{Problem::proc_is_not_procfs, StepKind::bind, 0, "/mounts/1", "fstatfs", "/proc",
               "/mounts/1: bind mount: \"/proc\" cannot be mounted because it is not of type proc"},
          Case{Problem::not_a_mount_point, StepKind::unmount, EINVAL, "/mounts/1", "statx", "/etc",
               "/mounts/1: unmount: \"/etc\" is not a mount point"},
          Case{Problem::wrong_device, StepKind::device_node, EEXIST, "/linux/devices/0", "fstat", "/dev/fuse",
               "/linux/devices/0: make device: \"/dev/fuse\" exists and is not the device that is asked for"},
          Case{Problem::not_a_pty, StepKind::console, 0, "/process/terminal", "fstat", "/dev/pts/ptmx",
               "/process/terminal: set up the terminal: \"/dev/pts/ptmx\" is not the multiplexer of a devpts "
               "file system"},
          Case{Problem::unmapped_id, StepKind::confine, EINVAL, "/process/user", "setresuid", "uid",
               "/process/user: cannot set uid: invalid argument (EINVAL); is it mapped in the container's "
               "user namespace?"},
      }) {
    CHECK(worded(c) == c.text);
  }
}

TEST_CASE("a hook that fails inside the container is told with how it ended and what it printed",
          "[launch][failure][hooks]") {
  constexpr auto kHook = StepKind::run_hook;
  const char* const field = "/hooks/createContainer/0";
  for (const Case& c : {
           Case{Problem::hook_failed, kHook, 3, field, "hook", "no network",
                "error running hook /hooks/createContainer/0: exit status 3, output: no network"},
           Case{Problem::hook_killed, kHook, SIGSEGV, field, "hook", "",
                "error running hook /hooks/createContainer/0: killed by signal 11, output: "},
           Case{Problem::hook_timed_out, kHook, 5000, field, "hook", "waiting",
                "error running hook /hooks/createContainer/0: ran past its timeout of 5 s, output: waiting"},
       }) {
    CHECK(worded(c) == c.text);
  }
}

TEST_CASE("a refused label names its file as Podman looks for it, and what to do", "[launch][failure]") {
  for (const Case& c : {
           Case{Problem::system_call, StepKind::security_label, EINVAL, "/process/selinuxLabel", "attr/exec",
                "a:b",
                "/process/selinuxLabel: write to `/proc/self/attr/exec`: invalid argument (EINVAL); "
                "refused was \"a:b\""},
           Case{Problem::system_call, StepKind::security_label, ENOENT, "/process/apparmorProfile",
                "attr/apparmor/exec", "exec none",
                "/process/apparmorProfile: write to `/proc/self/attr/apparmor/exec`: no such file or "
                "directory (ENOENT); the AppArmor profile \"none\" is not loaded: `apparmor_parser -r FILE` "
                "loads it, `aa-status` lists what is"},
           Case{Problem::system_call, StepKind::security_label, EACCES, "/process/apparmorProfile",
                "attr/apparmor/exec", "stack a b",
                "/process/apparmorProfile: write to `/proc/self/attr/apparmor/exec`: permission denied "
                "(EACCES); refused was \"a b\""},
       }) {
    CHECK(worded(c) == c.text);
  }
}

TEST_CASE("what is wrong with the host or with us is not blamed on the configuration", "[launch][failure]") {
  for (const Case& c : {
           Case{Problem::not_procfs, StepKind::sysctl, 0, "/linux/sysctl/a", "fstatfs", "/proc",
                "the host's /proc is not a proc file system"},
           Case{Problem::not_dev_null, StepKind::mask, 0, "/linux/maskedPaths/0", "openat", "/dev/null",
                "the host's /dev/null is not the null device"},
           Case{Problem::bad_plan, StepKind::exec, 0, "", "verify", "plan",
                "container init was given a plan that it cannot read; this is a bug in capsule"},
           Case{Problem::unexpected_line, StepKind::expect, 0, "", "recv", "hooks_done",
                "container init was told something else than hooks_done"},
           Case{static_cast<Problem>(999), StepKind::exec, 0, "", "", "",
                "container init failed in an unknown way"},
       }) {
    CHECK(worded(c) == c.text);
  }
}

}  // namespace
}  // namespace capsule::launch
