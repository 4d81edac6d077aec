// The parent's end of the conversation with init (runtime/plan/protocol.h): typed, and end of file is never
// success.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/launch/spawn.h"
#include "runtime/plan/protocol.h"

namespace capsule::launch {

// What init said went wrong, as the sentence for the user.
Error describe_failure(const protocol::Failure& failure);

Status send_line(FdRef socket, protocol::Line line);

// The same to an init that may have failed meanwhile: then the error is what it said, or how it died.
Status send_line(FdRef socket, protocol::Line line, InitProcess& init);

// Says `filter`, with process::encode_program()'s bytes behind it; likewise.
Status send_filter(FdRef socket, std::string_view program, InitProcess& init);

// One packet. nullopt: end of file. A `failed` packet is returned as the error it describes; anything
// malformed is an error too (init is not trusted once it works among an image's mounts, R20).
Result<std::optional<protocol::Frame>> receive_frame(FdRef socket);

// Waits for `line`. Otherwise an error: what init said, or how it died before it could say `line`.
//   interrupts   open_interrupts(); a signal there ends the waiting with an error
Status expect_line(FdRef socket, protocol::Line line, InitProcess& init, FdRef interrupts = FdRef(-1));

// The same, for a line with a value.
Result<protocol::Frame> expect_frame(FdRef socket, protocol::Line line, InitProcess& init, FdRef interrupts);

// Waits for `forked`: the process that goes on in place of `init`.
Result<InitProcess> expect_forked(FdRef socket, InitProcess& init, FdRef interrupts = FdRef(-1));

// Says `start`, and waits until execve has closed the socket: the application runs. A program that has
// already ended looks like one that runs, and is no failure of ours.
//   init         its process if it is our child, which is then reaped to tell how it ended; else nullptr
//   interrupts   as for expect_line: hooks inside and a frozen cgroup take the time they take
//   fails        what init said, or that it died before it executed the program
Status start_program(FdRef socket, InitProcess* init, FdRef interrupts = FdRef(-1));

}  // namespace capsule::launch
