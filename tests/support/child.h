// For what belongs to a process as a whole: each case has one of its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

namespace capsule::test {

// Whether `body` was true, as an exit status: 0, or 1. What it writes to standard error goes to that file.
inline int in_child(const std::string& standard_error, const std::function<bool()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::freopen(standard_error.c_str(), "w", stderr) == nullptr) ::_exit(2);
    ::_exit(body() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace capsule::test
