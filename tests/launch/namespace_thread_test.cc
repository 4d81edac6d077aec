#include "runtime/launch/namespace_thread.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <string>

#include "runtime/base/sys.h"
#include "runtime/init/raw.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

constexpr std::uint64_t kAhead = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;

std::string name_of(const std::string& process, const char* type) {
  return sys::readlinkat(FdRef::cwd(), ("/proc/" + process + "/ns/" + type).c_str()).value();
}

// Ends with 7 when somebody writes to it.
[[noreturn]] void wait_for_word(void* socket) {
  char word = 0;
  init::raw::read(*static_cast<int*>(socket), &word, 1);
  init::raw::exit(7);
}

// Lets the launcher go on, then waits for a word, but not for ever: without a thread the launcher waits for
// us.
[[noreturn]] void release_and_wait(void* socket) {
  const int word = *static_cast<int*>(socket);
  NamespaceThread::release_launcher();
  pollfd said{word, POLLIN, 0};
  const timespec limit{0, 200'000'000};
  init::raw::exit(init::raw::call(__NR_ppoll, &said, 1, &limit, nullptr, 0) > 0 ? 7 : 8);
}

struct Child {
  Child() : ends(sys::socketpair_seqpacket().value()), theirs(ends.theirs.get()) {}
  long clone(NamespaceThread& thread, std::uint64_t flags) {
    clone_args args{};
    args.flags = flags;
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(stack.data());
    args.stack_size = stack.size();
    return pid = thread.clone(args, (flags & CLONE_VM) != 0 ? release_and_wait : wait_for_word, &theirs);
  }
  int end() {
    (void)::write(ends.ours.get(), "x", 1);  // gone already is seen next
    int status = 0;
    REQUIRE(::waitpid(static_cast<pid_t>(pid), &status, 0) == pid);
    return WEXITSTATUS(status);
  }

  sys::SocketPair ends;
  int theirs;
  long pid = 0;
  alignas(64) std::array<char, 16384> stack{};
};

TEST_CASE("a child of ours has the namespaces that were made ahead, and we have not",
          "[launch][namespace_thread]") {
  if (::geteuid() != 0) return;  // only root makes namespaces outside of a user namespace
  const std::string own = name_of("self", "net");
  NamespaceThread thread;
  thread.begin(kAhead);
  Child child;

  REQUIRE(child.clone(thread, kAhead | CLONE_NEWPID) > 0);

  for (const char* type : {"net", "ipc", "uts", "mnt", "pid"}) {
    INFO(type);
    CHECK(name_of(std::to_string(child.pid), type) != name_of("self", type));
  }
  CHECK(name_of(std::to_string(child.pid), "user") == name_of("self", "user"));
  CHECK(name_of("self", "net") == own);
  CHECK(child.end() == 7);
}

TEST_CASE("what is made ahead and not asked for ends with its thread, and another may follow",
          "[launch][namespace_thread]") {
  for (int i = 0; i < 20; ++i) {
    NamespaceThread unused;
    unused.begin(CLONE_NEWUTS);
  }
  NamespaceThread thread;
  thread.begin(0);
  Child child;

  REQUIRE(child.clone(thread, 0) > 0);

  CHECK(name_of(std::to_string(child.pid), "uts") == name_of("self", "uts"));
  CHECK(child.end() == 7);
}

TEST_CASE("what could not be made ahead is asked of clone3, whose error is told",
          "[launch][namespace_thread]") {
  NamespaceThread thread;
  thread.begin(CLONE_NEWUTS | CLONE_VM);  // unshare(2) and clone3(2) of CLONE_VM alone have no sense
  Child child;

  CHECK(child.clone(thread, CLONE_THREAD) == -EINVAL);
}

TEST_CASE("a child that shares our memory lets us go on before it has executed anything",
          "[launch][namespace_thread]") {
  cpu_set_t processors;
  REQUIRE(::sched_getaffinity(0, sizeof(processors), &processors) == 0);
  if (CPU_COUNT(&processors) == 1) return;  // no thread, nobody to go on
  // Before the thread has begun we clone ourselves, and wait.
  int ended = 0;
  for (int i = 0; i < 20 && ended != 7; ++i) {
    NamespaceThread thread;
    thread.begin(CLONE_NEWUTS);
    ::usleep(20'000);
    Child child;
    REQUIRE(child.clone(thread, CLONE_VM | CLONE_VFORK) > 0);
    ended = child.end();
  }
  CHECK(ended == 7);
}

}  // namespace
}  // namespace capsule::launch
