// What will be done inside a container, in order, as bytes: the vocabulary shared by the planners, the
// launcher and capsule-init.
//
//   image = PlanHeader | descriptor table: int32[descriptor_count] | steps | data
//
// A step is one struct below, a multiple of 8 bytes, beginning with its StepHeader; init performs them one
// after another and stops at the first failure. Strings and lists lie in the data area and are named by
// offset, so the image holds no pointers and can be mapped anywhere. This header is compiled freestanding: no
// C library, no C++ library.
//
// Paths called `target` are below the container's root: they begin with '/', are resolved with
// openat2(RESOLVE_IN_ROOT), and may name anything an image author chose. Paths called `source` are the
// host's.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace capsule::plan {

inline constexpr uint32_t kMagic = 0x6e6c5043;  // "CPln"
inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kMaxImageSize = 64U << 20U;
inline constexpr uint16_t kNoSlot = 0xffff;

struct Text {  // `size` bytes at `offset` of the data area, followed by a NUL that is not counted
  uint32_t offset = 0;
  uint32_t size = 0;
};
struct TextList {  // `count` Texts at `offset` (4-byte aligned) of the data area
  uint32_t offset = 0;
  uint32_t count = 0;
};
struct Blob {  // `size` bytes at `offset` (8-byte aligned) of the data area
  uint32_t offset = 0;
  uint32_t size = 0;
};

struct PlanHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t total_size;
  uint32_t descriptor_count;
  uint32_t steps_offset;
  uint32_t steps_size;
  uint32_t data_offset;
  uint32_t data_size;
  uint32_t step_count;
  uint32_t preserved_fds;  // descriptors 3 … 3+N-1 belong to the application and are left as they are
};

// Descriptors that the host side opens and init inherits. Slots 0 and 1 always exist; a table entry of -1
// means "none".
enum : uint16_t { kSyncSlot = 0, kGateSlot = 1, kFirstFreeSlot = 2 };

enum class StepKind : uint16_t {
  // In the order in which they usually appear.
  join_namespace = 1,
  become_root,
  unshare,
  fork_init,
  new_time_namespace,
  say,
  expect,
  loopback_up,
  session_keyring,
  prepare_root,
  open_root,
  mount_filesystem,
  bind,
  set_attributes,
  reconfigure,
  unmount,
  open_dev,
  device_node,
  symlink,
  sysctl,
  run_hook,
  mask,
  make_readonly,
  make_cwd,
  console,
  security_label,
  pivot,
  enter_root,
  hostname,
  domainname,
  stdio,
  personality,
  scheduler,
  io_priority,
  memory_policy,
  cpu_affinity,
  resource_limit,
  no_new_privileges,
  seccomp,
  confine,
  change_directory,
  find_executable,
  gate,
  exec,
};

struct StepHeader {
  StepKind kind{};
  uint16_t size = 0;  // of the whole struct
  uint32_t reserved = 0;
  Text field;  // JSON pointer of what asked for this: "/mounts/3"; empty: nothing in config.json did
};

// ---- namespaces

// setns(slot, flags). `slot` holds a namespace descriptor (flags: its CLONE_NEW*) or a pidfd (flags: all to
// join at once, Linux 5.8).
struct JoinNamespace {
  static constexpr StepKind kKind = StepKind::join_namespace;
  StepHeader header;
  Text source;  // for messages
  uint32_t flags = 0;
  uint16_t slot = kNoSlot;
  uint16_t reserved = 0;
};

// setgroups(0), setresgid(0,0,0), setresuid(0,0,0): after joining a user namespace.
struct BecomeRoot {
  static constexpr StepKind kKind = StepKind::become_root;
  StepHeader header;
};

struct Unshare {
  static constexpr StepKind kKind = StepKind::unshare;
  StepHeader header;
  uint64_t flags = 0;  // CLONE_NEW*
};

// Continues in a child of the launcher (CLONE_PARENT) with these new namespaces, for what clone3 could not
// make at once: a new pid namespace that must belong to a user namespace joined by path. Says `forked` with
// the child's pid and pidfd; the first process exits.
struct ForkInit {
  static constexpr StepKind kKind = StepKind::fork_init;
  StepHeader header;
  uint64_t flags = 0;
};

struct NewTimeNamespace {
  static constexpr StepKind kKind = StepKind::new_time_namespace;
  StepHeader header;
  Text offsets;  // lines for /proc/self/timens_offsets, "monotonic 10 0\n…"; may be empty
};

// ---- the conversation (runtime/plan/protocol.h): init says a line, or waits for one

struct Say {
  static constexpr StepKind kKind = StepKind::say;
  StepHeader header;
  uint64_t line = 0;  // protocol::Line
};
struct Expect {  // from whoever hears of failures: the launcher, behind the gate whoever opened it
  static constexpr StepKind kKind = StepKind::expect;
  StepHeader header;
  uint64_t line = 0;
};

// ---- network, keys

struct LoopbackUp {
  static constexpr StepKind kKind = StepKind::loopback_up;
  StepHeader header;
};

struct SessionKeyring {  // keyctl(KEYCTL_JOIN_SESSION_KEYRING)
  static constexpr StepKind kKind = StepKind::session_keyring;
  StepHeader header;
  Text name;  // "_ses.<id>"
};

// ---- file systems

enum class RootMode : uint32_t {
  pivot,   // a new mount namespace, pivot_root
  chroot,  // a new mount namespace, the root moved over "/" and entered with chroot: --no-pivot
  plain,   // no mount namespace of its own: chroot only, nothing on the host changes its propagation (R26)
};

// Makes the container's root available: sets the propagation of the inherited tree, attaches the rootfs over
// "/", keeps a descriptor of it.
struct PrepareRoot {
  static constexpr StepKind kKind = StepKind::prepare_root;
  StepHeader header;
  Text source;  // rootfs on the host
  RootMode mode = RootMode::pivot;
  uint16_t slot = kNoSlot;  // a detached clone made by the host side; kNoSlot: init clones `source` itself
  uint16_t reserved = 0;
  uint64_t host_propagation =
      0;  // MS_SLAVE or MS_PRIVATE for the inherited tree, recursively; 0 in RootMode::plain
  uint64_t root_propagation = 0;  // MS_* for the rootfs and what is mounted in it by default
};

struct OpenRoot {  // the root of a container that lives, for the targets of later steps
  static constexpr StepKind kKind = StepKind::open_root;
  StepHeader header;
  uint64_t slot = kNoSlot;  // its directory
};

enum : uint32_t {
  kMountCreateTarget = 1U << 0U,    // make missing directories (0755) or, for a bound file, an empty file
  kMountNoSymlinks = 1U << 1U,      // the target must be reached without any symlink: /proc, /sys (R6)
  kMountAllowBelowProc = 1U << 2U,  // on the short list of things that may be bound below /proc
  kMountRecursive = 1U << 3U,       // rbind
  kMountIsBind = 1U << 4U,
  kMountIgnoreMissingSource = 1U << 5U,
  kMountDestNofollow =
      1U << 6U,  // crun's dest-nofollow: a last component that is a symlink is itself the target
  kMountTmpcopyup = 1U << 7U,
  kMountFallbackBind = 1U << 8U,    // fsmount refused (EPERM, EBUSY): bind `fallback_source` instead
  kMountSourceNofollow = 1U << 9U,  // crun's src-nofollow: a source that is a symlink is bound itself
  kMountCopySymlink = 1U << 10U,    // crun's copy-symlink: it is made again at the target, instead of a mount
};

struct MountAttributes {
  uint64_t set = 0;  // MOUNT_ATTR_*, this mount only
  uint64_t clear = 0;
  uint64_t recursive_set = 0;  // and everything below it: rro, rnosuid, …
  uint64_t recursive_clear = 0;
  uint64_t propagation = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE; 0: as the root's
  uint64_t recursive_propagation = 0;
};

// fsopen, fsconfig for each of `options`, fsmount, move_mount to the target. On "/" it becomes the root that
// later targets are resolved in.
struct MountFilesystem {
  static constexpr StepKind kKind = StepKind::mount_filesystem;
  StepHeader header;
  Text target;
  Text type;
  Text source;
  TextList options;  // "mode=755" (string), "newinstance" (flag): parameters of the file system and of its
                     // superblock ("ro", "sync")
  Text fallback_source;
  Text label;               // security.selinux of its root, for a file system that takes no "context="
  uint32_t flags = 0;       // kMount*
  uint16_t slot = kNoSlot;  // made by the host side already, detached, with its attributes and id maps
  uint16_t reserved = 0;
  MountAttributes attributes;
};

// Attaches a bind mount to the target. With a slot the host side has already cloned the source and set its
// attributes.
struct Bind {
  static constexpr StepKind kKind = StepKind::bind;
  StepHeader header;
  Text target;
  Text source;
  uint32_t flags = 0;  // kMount*
  uint16_t slot = kNoSlot;
  uint16_t reserved = 0;
  MountAttributes attributes;
};

// mount_setattr on the mount at `target`: remounts, tmpfs that become read-only once filled, propagation of
// the root.
struct SetAttributes {
  static constexpr StepKind kKind = StepKind::set_attributes;
  StepHeader header;
  Text target;
  MountAttributes attributes;
};

// fspick of the mount at `target`, fsconfig for each of `options`, reconfigured: a remount that is about the
// file system.
struct Reconfigure {
  static constexpr StepKind kKind = StepKind::reconfigure;
  StepHeader header;
  Text target;
  TextList options;  // as MountFilesystem's
};

// Detaches the topmost mount at `target`, which must be the root of one.
struct Unmount {
  static constexpr StepKind kKind = StepKind::unmount;
  StepHeader header;
  Text target;
};

// Opens the container's /dev once, without following a symlink; device nodes and links are made relative to
// it (R11).
struct OpenDev {
  static constexpr StepKind kKind = StepKind::open_dev;
  StepHeader header;
};

enum : uint32_t {
  kNodeBind = 1U << 0U,  // bind the host's node instead of mknod: user namespaces may not make devices
};
struct DeviceNode {
  static constexpr StepKind kKind = StepKind::device_node;
  StepHeader header;
  Text target;
  uint32_t mode = 0;  // S_IFCHR | 0666, with the type
  uint32_t flags = 0;
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// A link below /dev: fd -> /proc/self/fd. What stands there already and is such a link is left; a file is
// replaced only for ptmx.
struct Symlink {
  static constexpr StepKind kKind = StepKind::symlink;
  StepHeader header;
  Text target;  // the new link's path, below /dev
  Text value;   // what it says
  uint64_t replace = 0;
};

struct Sysctl {
  static constexpr StepKind kKind = StepKind::sysctl;
  StepHeader header;
  Text path;  // below /proc/sys, with slashes
  Text value;
};

// fork, execve with `state` on standard input, wait at most timeout_ms. Runs in the container's namespaces.
struct RunHook {
  static constexpr StepKind kKind = StepKind::run_hook;
  StepHeader header;
  Text path;
  TextList args;
  TextList env;
  Text state_before_pid;  // the state's JSON around the number that only init knows
  Text state_after_pid;
  int64_t timeout_ms = -1;
};

// Hides a path: a directory under an empty read-only tmpfs, anything else under a verified /dev/null (R9).
// Missing: skipped.
struct Mask {
  static constexpr StepKind kKind = StepKind::mask;
  StepHeader header;
  Text target;
  Text label;  // SELinux context of the tmpfs; empty: the policy's
};

struct MakeReadonly {  // the path, bound onto itself recursively and made read-only. Missing: skipped
  static constexpr StepKind kKind = StepKind::make_readonly;
  StepHeader header;
  Text target;
};

struct MakeCwd {  // mkdir -p, 0755, in the root; exists: nothing
  static constexpr StepKind kKind = StepKind::make_cwd;
  StepHeader header;
  Text target;
};

// Allocates a pty in the container's devpts, sends its master through `slot`, makes the slave the controlling
// terminal and descriptors 0-2, and mounts it on /dev/console when `mount_console`.
struct Console {
  static constexpr StepKind kKind = StepKind::console;
  StepHeader header;
  uint16_t slot = kNoSlot;
  uint16_t height = 0;
  uint16_t width = 0;
  uint16_t mount_console = 0;
  uint32_t uid = 0;  // owner of the slave
  uint32_t reserved = 0;
};

// Announces to a security module what the process is to become at its next execve (AppArmor, SELinux), or
// with what label its keyrings are made: `text` in one write to `file` of its own directory of the host's
// procfs (R5). While that procfs is at hand: before Pivot, in exec before anything is joined.
struct SecurityLabel {
  static constexpr StepKind kKind = StepKind::security_label;
  StepHeader header;
  Text file;  // "attr/apparmor/exec", below /proc/thread-self
  Text text;
};

struct Pivot {  // enters the root as PrepareRoot's mode says, and drops the host's tree
  static constexpr StepKind kKind = StepKind::pivot;
  StepHeader header;
};

struct EnterRoot {  // fchdir and chroot to a descriptor: exec into a container that did not pivot
  static constexpr StepKind kKind = StepKind::enter_root;
  StepHeader header;
  uint64_t slot = kNoSlot;
};

struct Hostname {
  static constexpr StepKind kKind = StepKind::hostname;
  StepHeader header;
  Text name;
};
struct Domainname {
  static constexpr StepKind kKind = StepKind::domainname;
  StepHeader header;
  Text name;
};

// Descriptors 0-2: a host /dev/null is reopened inside; pipes, sockets and terminals are given to `uid` so
// that /dev/stdout can be opened again.
struct Stdio {
  static constexpr StepKind kKind = StepKind::stdio;
  StepHeader header;
  uint64_t uid = 0;
};

// ---- the process

struct Personality {
  static constexpr StepKind kKind = StepKind::personality;
  StepHeader header;
  uint64_t persona = 0;
};

struct Scheduler {  // sched_setattr(2); `attr` is a struct sched_attr
  static constexpr StepKind kKind = StepKind::scheduler;
  StepHeader header;
  Blob attr;
};

struct IoPriority {  // ioprio_set(IOPRIO_WHO_PROCESS, 0, value)
  static constexpr StepKind kKind = StepKind::io_priority;
  StepHeader header;
  uint64_t value = 0;
};

struct MemoryPolicy {  // set_mempolicy(2); `nodes` is a bit mask of unsigned longs
  static constexpr StepKind kKind = StepKind::memory_policy;
  StepHeader header;
  Blob nodes;
  uint64_t mode = 0;
};

// sched_setaffinity(2); `cpus` is a bit mask of unsigned longs. Empty: all that the cgroup allows, for the
// processors that our caller is bound to (taskset(1), a pinned engine) are not the container's, and entering
// a cgroup no longer forgets them (Linux 6.2); refused, it is left at that.
struct CpuAffinity {
  static constexpr StepKind kKind = StepKind::cpu_affinity;
  StepHeader header;
  Blob cpus;
};

struct ResourceLimit {  // prlimit(2) of init itself; where a user namespace took the right to raise one, the
                        // launcher's
  static constexpr StepKind kKind = StepKind::resource_limit;
  StepHeader header;
  uint64_t soft = 0;
  uint64_t hard = 0;
  uint64_t resource = 0;  // RLIMIT_*
};

struct NoNewPrivileges {
  static constexpr StepKind kKind = StepKind::no_new_privileges;
  StepHeader header;
};

inline constexpr char kPidMark = '\1';  // JSON has no raw control characters

struct Seccomp {  // seccomp(SECCOMP_SET_MODE_FILTER)
  static constexpr StepKind kKind = StepKind::seccomp;
  StepHeader header;
  Blob program;  // struct sock_filter[]; empty: the one that Line::filter brought, with its flags
  uint64_t flags = 0;
  uint64_t listener_slot = kNoSlot;  // connected socket; it gets the listener's descriptor, and is closed
  Text listener_message;  // goes with it; init writes its pid, as the host counts, for each kPidMark
};

inline constexpr uint32_t kKeepGroups = 0xffffffff;

// Becomes the user: bounding set, groups, gid, uid, the other capability sets, ambient, umask, in the one
// order that works.
struct Confine {
  static constexpr StepKind kKind = StepKind::confine;
  StepHeader header;
  Blob groups;  // uint32_t[]
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 022;
  uint32_t set_groups = 1;  // 0: setgroups(2) is denied in this user namespace, leave them
  uint64_t bounding = 0;    // bit N: capability N
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
  uint64_t ambient = 0;
};

struct ChangeDirectory {  // chdir, then getcwd must be absolute: a cwd outside the root is a breakout
                          // (CVE-2024-21626, R7)
  static constexpr StepKind kKind = StepKind::change_directory;
  StepHeader header;
  Text target;
  uint64_t may_retry = 0;  // 1: EACCES here is not final, a later step tries again as the container's user
};

// Looks for the program that `exec` will run and fails now, at create, with the reason.
struct FindExecutable {
  static constexpr StepKind kKind = StepKind::find_executable;
  StepHeader header;
  Text name;
  Text search_path;  // $PATH of the process
};

enum class GateMode : uint32_t {
  none,    // exec: go on at once
  sync,    // run: the line `start` on the sync socket
  listen,  // create: a connection on the gate socket that says `start`
};
// Says `ready`, then waits; from here on errors go to whoever opened the gate. The line `start` is seen here
// and taken by an Expect, the last step before the program and its filter: who dies between leaves it unread.
struct Gate {
  static constexpr StepKind kKind = StepKind::gate;
  StepHeader header;
  GateMode mode = GateMode::none;
  uint32_t reserved = 0;
};

// Runs the program found. HOME is looked up in the root's /etc/passwd by uid unless `env` has it.
struct Exec {
  static constexpr StepKind kKind = StepKind::exec;
  StepHeader header;
  TextList args;
  TextList env;
  uint32_t home_uid = 0;
  uint32_t needs_home = 0;
};

}  // namespace capsule::plan
