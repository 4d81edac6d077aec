// Namespaces made while their container is still being planned.
#pragma once

#include <cstdint>

#include "runtime/launch/clone.h"

namespace capsule::launch {

// A thread of ours that makes namespaces and then clones init out of them, which inherits them. The kernel
// takes longer for a network namespace, and for its loopback device, than for all others together, and the
// launcher has work of its own meanwhile.
//
// It runs on another processor than ours, or not at all: where it has not begun when we want the clone, we do
// it ourselves, as if there were no thread. One at a time, for its stack and what it is told are static:
// while an earlier one still ends, there is none.
class NamespaceThread {
 public:
  NamespaceThread() = default;
  NamespaceThread(const NamespaceThread&) = delete;
  NamespaceThread& operator=(const NamespaceThread&) = delete;
  ~NamespaceThread();  // not asked to clone, it ends, and the namespaces with it

  // Once, if at all.
  //   flags   of unshare(2), neither CLONE_NEWUSER nor CLONE_NEWPID; 0: no thread, nothing is made ahead
  void begin(std::uint64_t flags);
  // clone_with_stack(), once.
  //   args   asks for all namespaces of the child: those that the thread has made are left out; what it could
  //          not make is left to clone3, and its error to tell
  // The child may not run on our own processor until it changes that, and the thread then runs on no other.
  long clone(const clone_args& args, void (*entry)(void*), void* argument);

  // For a child that shares our memory, once it needs nothing of it that clone()'s caller may take away:
  // clone() returns, though the child has not executed a program yet. Without it, it returns when it has.
  static void release_launcher();

 private:
  bool runs_ = false;  // and has not been asked
};

}  // namespace capsule::launch
