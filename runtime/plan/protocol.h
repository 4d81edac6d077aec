// clang-format off
// The conversation between the launcher (parent) and capsule-init (child): one SOCK_SEQPACKET pair, one Frame a packet.
//
//      parent                              child
//        | --- maps_written -----------> |   only with a new user namespace: its id maps are set from outside
//        | <-- forked (pid, pidfd) ----- |   only with ForkInit: the process that goes on
//        | <-- namespaces_ready -------- |   only if the parent has work in the new namespaces (network devices)
//        | --- network_ready ----------> |
//        | <-- rootfs_mounted ---------- |   only with prestart or createRuntime hooks: all mounted, nothing pivoted
//        | --- hooks_done -------------> |
//        | --- filter, its program ----> |   only with a seccomp profile that notifies nobody
//        | <-- mounted ----------------- |   only in a container that lives: one more of what is to be added is done
//        | <-- ready ------------------- |   pivoted and confined; its next act is to wait at the gate
//        |     commits state.json        |
//        | --- start ------------------> |   `run` on this socket; `create` leaves, and `start` says it on the gate
//        |                               |   startContainer hooks; only then is `start` taken from the socket
//        | <-- end of file ------------- |   execve closed the socket: the application runs
//        | <-- connection reset -------- |   instead of it, if `start` was never taken: init died on the way
//
// clang-format on
//
// Which lines a launch has is decided by the plan: its Say, Expect and Gate steps in order are the script,
// and both sides follow it. In place of any line the child may say `failed`. End of file before `ready` is
// never success: the child died, and the launcher reports which line was due.
#pragma once

#include <stdint.h>

namespace capsule::protocol {

enum class Line : uint8_t {
  maps_written = 1,
  forked,
  namespaces_ready,
  network_ready,
  rootfs_mounted,
  hooks_done,
  mounted,
  ready,
  start,
  failed,
  filter,  // last: a container may wait for the `start` of a later version, so the numbers above stay
};

constexpr const char* name_of(Line line) {
  switch (line) {
    case Line::maps_written:
      return "maps_written";
    case Line::forked:
      return "forked";
    case Line::namespaces_ready:
      return "namespaces_ready";
    case Line::network_ready:
      return "network_ready";
    case Line::rootfs_mounted:
      return "rootfs_mounted";
    case Line::hooks_done:
      return "hooks_done";
    case Line::mounted:
      return "mounted";
    case Line::ready:
      return "ready";
    case Line::start:
      return "start";
    case Line::failed:
      return "failed";
    case Line::filter:
      return "filter";
  }
  return "?";
}

struct Frame {
  Line line;
  uint8_t reserved[3];
  int32_t value;  // forked: the pid; mounted: how many mounts are attached so far; filter: the bytes that
                  // follow; otherwise 0
};
static_assert(sizeof(Frame) == 8);

// Of Line::filter, behind the Frame and in its packet: 8 bytes, flags of seccomp(2), then struct
// sock_filter[].
inline constexpr unsigned kMaxFilter = 8 + 4096 * 8;  // BPF_MAXINSNS

// What went wrong, beyond errno: the launcher turns it into the sentence.
enum class Problem : uint16_t {
  system_call = 1,
  bad_plan,     // the image does not decode: a bug
  not_in_path,  // executable file not found in $PATH
  is_directory,
  not_executable,    // permission denied on the program
  escaped_cwd,       // getcwd is outside the root
  symlinked_target,  // /proc or /sys is not an ordinary directory (R6)
  below_proc,        // a mount below /proc that is not on the list (R6)
  not_procfs,        // /proc is not a proc file system (R5)
  not_dev_null,      // /dev/null is not the null device (R9)
  not_a_pty,         // ptmx is not that of a devpts (R10)
  wrong_device,      // an existing node is another device than asked for (R11)
  hook_failed,       // value: exit status
  hook_killed,       // value: signal
  hook_timed_out,
  unexpected_line,
  unmapped_id,
  not_a_mount_point,   // nothing is mounted where something is to be unmounted
  proc_is_not_procfs,  // something else than a proc file system is bound on /proc (R6)
};

inline constexpr unsigned kMaxCall = 24;
inline constexpr unsigned kMaxObject = 400;
inline constexpr unsigned kMaxField = 96;

struct Failure {  // follows the Frame of Line::failed; a whole packet always has this size
  Frame frame;
  uint32_t step;  // index in the plan; 0xffffffff: before the first
  int32_t err;    // errno, or the value that Problem names
  Problem problem;
  uint16_t kind;            // plan::StepKind of the step
  char field[kMaxField];    // JSON pointer of what asked for the step, NUL-terminated: "/mounts/3"
  char call[kMaxCall];      // system call, NUL-terminated
  char object[kMaxObject];  // what it was called on, NUL-terminated, cut at the front if too long; for hooks
                            // the tail of its standard error
};
static_assert(sizeof(Failure) == 20 + kMaxField + kMaxCall + kMaxObject);

inline constexpr uint32_t kNoStep = 0xffffffff;

}  // namespace capsule::protocol
