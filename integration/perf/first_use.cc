// Which instructions a command executes, in the order of their first execution:
//
//   first_use FILE COMMAND ARGUMENT...
//
// FILE is appended to: one line for each instruction of the program's own file, its distance from where the
// file is loaded, in hexadecimal. The command is executed step by step, some hundred times slower than by
// itself; what it spawns is not followed. Used by start_order.py.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t LARGEST_PROGRAM = 64 << 20;

[[noreturn]] void execute_traced(char** command) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  execv(command[0], command);
  std::perror(command[0]);
  _exit(127);
}

// The first line of maps is the beginning of the program: libraries and stacks lie above it.
std::uint64_t read_load_address(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::string line;
  std::getline(maps, line);
  return std::strtoull(line.c_str(), nullptr, 16);
}

// Returns the status that the command ended with.
int step_to_the_end(pid_t pid, std::ofstream& file) {
  const std::uint64_t beginning = read_load_address(pid);
  std::vector<bool> seen(LARGEST_PROGRAM);
  int status = 0;
  long signal_to_deliver = 0;
  while (ptrace(PTRACE_SINGLESTEP, pid, nullptr, signal_to_deliver) == 0 && waitpid(pid, &status, 0) == pid &&
         WIFSTOPPED(status)) {
    signal_to_deliver = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, pid, nullptr, &registers);
    const std::uint64_t offset = registers.rip - beginning;
    if (offset < LARGEST_PROGRAM && !seen[offset]) {
      seen[offset] = true;
      file << std::hex << offset << '\n';
    }
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: first_use FILE COMMAND ARGUMENT...\n", stderr);
    return 2;
  }
  std::ofstream file(argv[1], std::ios::app);
  const pid_t pid = fork();
  if (pid == 0) {
    execute_traced(argv + 2);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_EXITKILL);
  status = step_to_the_end(pid, file);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "first_use: %s failed\n", argv[2]);
    return 1;
  }
  return 0;
}
