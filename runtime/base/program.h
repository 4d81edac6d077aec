// Another program as a child: a hook, newuidmap(1), ps(1).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule {

struct Pipe {
  UniqueFd read_end, write_end;
};

// pipe2(2); O_CLOEXEC besides `flags`.
Result<Pipe> open_pipe(int flags);

// No null byte in any text: config.json's are checked for that when they are read.
struct ProgramCall {
  const std::string& path;
  const std::vector<std::string>& arguments;              // the first is the name it is called by
  const std::vector<std::string>* environment = nullptr;  // nullptr: ours
  FdRef in, out, err;                                     // FdRef(-1): /dev/null
  const char* directory = nullptr;                        // nullptr: ours
};

// Starts it with all signals at their default and none blocked, and with no descriptor but the three.
// Errors: execve(2)'s, and what prevents looking at /proc/self/fd.
Result<pid_t> spawn_program(const ProgramCall& call);

}  // namespace capsule
