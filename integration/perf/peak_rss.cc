// Prints how much memory, in KiB, a command ever had resident:
//
//   peak_rss COMMAND ARGUMENT...
//
// ru_maxrss cannot tell: across vfork and exec a process inherits the mark of the one that spawned it, so
// every small program seems as large as its parent. Here the command is stopped on its way out
// (PTRACE_EVENT_EXIT), when it has seen all the memory it ever will and still owns it, and the kernel's own
// high-water mark is read. It is the mark of the program the process ended as: a runtime that executes a
// protected copy of itself begins a new one there. Children are not followed.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

[[noreturn]] void execute_traced(char** command) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  raise(SIGSTOP);  // until the tracer has set its options
  execv(command[0], command);
  std::perror(command[0]);
  _exit(127);
}

long read_high_water_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return std::strtol(line.c_str() + 6, nullptr, 10);
    }
  }
  return -1;
}

bool is_event(int status, int event) {
  return status >> 8 == (SIGTRAP | event << 8);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: peak_rss COMMAND ARGUMENT...\n", stderr);
    return 2;
  }
  const pid_t pid = fork();
  if (pid == 0) {
    execute_traced(argv + 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, pid, nullptr, nullptr);

  long peak_kib = -1;
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
    long signal_to_deliver = WSTOPSIG(status);
    if (is_event(status, PTRACE_EVENT_EXIT)) {
      peak_kib = read_high_water_kib(pid);
      signal_to_deliver = 0;
    } else if (is_event(status, PTRACE_EVENT_EXEC)) {
      signal_to_deliver = 0;
    }
    ptrace(PTRACE_CONT, pid, nullptr, signal_to_deliver);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || peak_kib < 0) {
    std::fprintf(stderr, "peak_rss: %s failed\n", argv[1]);
    return 1;
  }
  std::printf("%ld\n", peak_kib);
  return 0;
}
