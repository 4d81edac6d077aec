#include "runtime/launch/namespace_thread.h"

#include <linux/futex.h>

#include <array>
#include <atomic>

#include "runtime/init/loopback.h"
#include "runtime/init/raw.h"
#include "runtime/launch/processors.h"

namespace capsule::launch {
namespace {

namespace raw = init::raw;

// Written by one side, awaited by the other.
class Word {
 public:
  void set(std::uint32_t value) {
    value_.store(value, std::memory_order_release);
    raw::call(__NR_futex, &value_, FUTEX_WAKE, 1, nullptr);
  }
  // While nobody waits.
  void reset() { value_.store(0, std::memory_order_relaxed); }
  bool change(std::uint32_t from, std::uint32_t to) {
    return value_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }
  std::uint32_t await_change(std::uint32_t from) {
    for (;;) {
      const std::uint32_t value = value_.load(std::memory_order_acquire);
      if (value != from) return value;
      raw::call(__NR_futex, &value_, FUTEX_WAIT, from, nullptr);
    }
  }
  std::atomic<std::uint32_t>* address() { return &value_; }

 private:
  std::atomic<std::uint32_t> value_{0};
};

enum Order : std::uint32_t { kNone, kBegun, kClone, kEnd };
enum Answer : std::uint32_t { kNoAnswer, kCloned, kReleased };

// The wakes are not FUTEX_PRIVATE: the kernel's own, for `alive`, is not either.
struct Shared {
  std::uint64_t flags = 0;
  Word order;
  clone_args child{};
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  long result = 0;  // of clone3
  int number = 0;   // the child's, there before it runs
  Word answer;
  long thread = 0;  // its number, while `alive`
  Word alive;       // cleared by the kernel when the thread has ended (CLONE_CHILD_CLEARTID)
};
Shared shared;
constexpr std::size_t kStackSize = 16384;
[[gnu::section(".bss.large")]] alignas(64) std::array<char, kStackSize> stack;
// Until it has executed a program, like the thread's wait.
[[gnu::section(".bss.large")]] alignas(64) std::array<char, kStackSize> child_stack;

// Init does it too, later and with words for a failure; by then it is done, and init's mounts are not kept
// waiting.
void raise_loopback() {
  const char* call = "";
  (void)init::raise_loopback(call);
}

// Raw system calls alone: the thread has no storage of its own, and errno is the launcher's.
[[noreturn]] void run_thread(void* /*argument*/) {
  if (shared.order.change(kNone, kBegun)) {
    const bool made = raw::call(__NR_unshare, shared.flags) == 0;
    if (shared.order.await_change(kBegun) == kClone) {
      if (made) shared.child.flags &= ~shared.flags;
      shared.result = clone_with_stack(shared.child, shared.entry, shared.argument);
      shared.answer.set(kCloned);
      if (made && (shared.flags & CLONE_NEWNET) != 0) raise_loopback();
    }
  }
  for (;;)
    raw::call(__NR_exit, 0);
}

bool start_thread(std::uint64_t flags) {
  const Processors others = other_processors();
  if (others.count() == 0 || !shared.alive.change(0, 1)) return false;
  shared.flags = flags;
  shared.order.reset();
  shared.answer.reset();
  clone_args args{};
  args.flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
  args.child_tid = reinterpret_cast<std::uint64_t>(shared.alive.address());
  args.stack = reinterpret_cast<std::uint64_t>(stack.data());
  args.stack_size = stack.size();
  shared.thread = clone_with_stack(args, run_thread, nullptr);
  // A scheduler that saves power would let it wait for ours, and nothing were gained.
  if (shared.thread > 0) bind_thread(shared.thread, others);
  return shared.thread > 0;
}

}  // namespace

void NamespaceThread::begin(std::uint64_t flags) {
  runs_ = flags != 0 && start_thread(flags);
}

NamespaceThread::~NamespaceThread() {
  if (runs_) shared.order.set(kEnd);
}

long NamespaceThread::clone(const clone_args& args, void (*entry)(void*), void* argument) {
  if (!runs_ || shared.order.change(kNone, kEnd)) return clone_with_stack(args, entry, argument);
  shared.child = args;
  shared.child.stack = reinterpret_cast<std::uint64_t>(child_stack.data());
  shared.child.stack_size = child_stack.size();
  shared.child.flags |= CLONE_PARENT_SETTID;
  shared.child.parent_tid = reinterpret_cast<std::uint64_t>(&shared.number);
  shared.entry = entry;
  shared.argument = argument;
  shared.order.set(kClone);
  const std::uint32_t answer = shared.answer.await_change(kNoAnswer);
  runs_ = false;  // or will not for long
  if (answer == kCloned) return shared.result;
  // Its own processor is init's by now. The loopback device is raised on ours as soon as we wait for init.
  bind_thread(shared.thread, own_processor());
  return shared.number;
}

void NamespaceThread::release_launcher() {
  shared.answer.set(kReleased);
}

}  // namespace capsule::launch
