// The wish of whoever started us that we give up: SIGINT, SIGTERM and SIGHUP while a container, or a process
// in one, is being made.
//
// They must not end us at once, since what is half made would stay; they arrive as a descriptor that every
// long wait watches besides its own.
#pragma once

#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

// A signalfd(2) of them, which are blocked from now on and stay so: one that comes when all is done comes too
// late, and must not make a success look like a failure.
Result<UniqueFd> open_interrupts();

// What has arrived, as the error it means: "interrupted (SIGTERM)". Success: nothing, or a signal that our
// parent made us ignore (nohup), which a signalfd tells of all the same.
Status check_interrupts(FdRef interrupts);

// Waits until `fd` is readable or at its end. A closed `interrupts` (-1): returns at once, whoever reads
// waits.
//   fails   peer: "interrupted (SIGTERM) while waiting for …"
Status wait_readable(FdRef fd, FdRef interrupts, std::string_view what);

}  // namespace capsule::launch
