// clone3(2) for a child, or a thread, with a stack of its own.
#pragma once

#include <sched.h>

#include "runtime/base/kernel_abi.h"

namespace capsule::launch {

// Calls `entry(argument)` in the child, on args.stack; it may share our memory and must never return,
// allocate, lock or unwind.
//   returns  the child's number, or -errno
long clone_with_stack(const clone_args& args, void (*entry)(void*), void* argument);

}  // namespace capsule::launch
