// What init knows while it performs a plan, and how a step says that it failed.
#pragma once

#include "runtime/init/raw.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/protocol.h"
#include "runtime/plan/view.h"

namespace capsule::init {

using protocol::Problem;

// A tmpfs that was empty when it was mounted, and what is mounted below it since.
struct NewTmpfs {
  int mount = -1;
  const char* target = nullptr;
};

struct Context {
  plan::View plan;
  int sync = -1;   // to the launcher
  int reply = -1;  // where a failure is told: the launcher, and behind the gate whoever opened it
  uint32_t step = protocol::kNoStep;
  const plan::StepHeader* current = nullptr;  // the step being performed

  plan::RootMode root_mode = plan::RootMode::plain;
  int root = -1;               // the container's root: every target is resolved in it
  int32_t attached = 0;        // mounts put somewhere: what `mounted` tells
  unsigned covered_roots = 0;  // mounts that the root was before another one was put on it
  NewTmpfs tmpfs;              // the last one, while nothing covers it: nearly always /dev
  int dev = -1;                // its /dev
  int host_proc =
      -1;  // the host's procfs, opened and checked before the container could touch anything; closed at Pivot
  int null = -1;          // the host's /dev/null, checked
  int mask_tmpfs = -1;    // the first directory mask, cloned for the others: one superblock for all of them
  uint64_t host_pid = 0;  // as the launcher sees it; looked up only for a seccomp listener's message

  const void* filter = nullptr;  // what Line::filter brought: flags and program
  size_t filter_size = 0;

  char executable[4096] = {};  // what FindExecutable found

  protocol::Failure failure{};
};

// Records why the step failed; the caller returns the result (false). `err` may be a raw system call's
// negative answer.
bool fail(Context& ctx, const char* call, long err, const char* object);
bool fail_with(Context& ctx, Problem problem, const char* call, long err, const char* object);

// Looks up ctx.host_pid if the plan has a seccomp listener to tell it to: at first, while the host's /proc is
// in sight, and again by the process that ForkInit makes.
bool find_host_pid(Context& ctx);

// Sends a whole frame: with send, which raises no SIGPIPE, or with write where the container's filter is in
// force already and forbids sockets.
long tell(int fd, const void* bytes, size_t size);

// Tells ctx.failure to ctx.reply.
void send_failure(Context& ctx);

inline const char* text(const Context& ctx, plan::Text t) {
  return ctx.plan.text(t);
}

// ---- steps, one function each; true: done, false: ctx.failure says why

bool perform(Context&, const plan::JoinNamespace&);
bool perform(Context&, const plan::BecomeRoot&);
bool perform(Context&, const plan::Unshare&);
bool perform(Context&, const plan::ForkInit&);
bool perform(Context&, const plan::NewTimeNamespace&);
bool perform(Context&, const plan::Say&);
bool perform(Context&, const plan::Expect&);
bool perform(Context&, const plan::LoopbackUp&);
bool perform(Context&, const plan::SessionKeyring&);
bool perform(Context&, const plan::PrepareRoot&);
bool perform(Context&, const plan::OpenRoot&);
bool perform(Context&, const plan::MountFilesystem&);
bool perform(Context&, const plan::Bind&);
bool perform(Context&, const plan::SetAttributes&);
bool perform(Context&, const plan::Reconfigure&);
bool perform(Context&, const plan::Unmount&);
bool perform(Context&, const plan::OpenDev&);
bool perform(Context&, const plan::DeviceNode&);
bool perform(Context&, const plan::Symlink&);
bool perform(Context&, const plan::Sysctl&);
bool perform(Context&, const plan::RunHook&);
bool perform(Context&, const plan::Mask&);
bool perform(Context&, const plan::MakeReadonly&);
bool perform(Context&, const plan::MakeCwd&);
bool perform(Context&, const plan::Console&);
bool perform(Context&, const plan::SecurityLabel&);
bool perform(Context&, const plan::Pivot&);
bool perform(Context&, const plan::EnterRoot&);
bool perform(Context&, const plan::Hostname&);
bool perform(Context&, const plan::Domainname&);
bool perform(Context&, const plan::Stdio&);
bool perform(Context&, const plan::Personality&);
bool perform(Context&, const plan::Scheduler&);
bool perform(Context&, const plan::IoPriority&);
bool perform(Context&, const plan::MemoryPolicy&);
bool perform(Context&, const plan::CpuAffinity&);
bool perform(Context&, const plan::ResourceLimit&);
bool perform(Context&, const plan::NoNewPrivileges&);
bool perform(Context&, const plan::Seccomp&);
bool perform(Context&, const plan::Confine&);
bool perform(Context&, const plan::ChangeDirectory&);
bool perform(Context&, const plan::FindExecutable&);
bool perform(Context&, const plan::Gate&);
bool perform(Context&, const plan::Exec&);

// Performs every step in order. Returns only on failure (a plan ends with Exec) or, in tests, after the last
// step.
bool perform_all(Context& ctx);

// The host's procfs, opened on first use and checked to be one (R5). -1: ctx.failure says why.
int host_proc(Context& ctx);

}  // namespace capsule::init
