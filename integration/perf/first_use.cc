// Which instructions a command executes, in the order of their first execution:
//
//   first_use FILE COMMAND ARGUMENT...
//
// FILE gets one line for each instruction of the program's own file, its distance from where the file is
// loaded, in hexadecimal. The command is executed step by step, some hundred times slower than by itself; its
// threads and children are followed until they execute another program. Used by start_order.py.
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
#include <set>
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

// The instructions of all processes and threads that share the program's text, each once.
class Uses {
 public:
  Uses(std::uint64_t beginning, std::ofstream& file)
      : beginning_(beginning), file_(file), seen_(LARGEST_PROGRAM) {}
  void note(pid_t who) {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, who, nullptr, &registers);
    const std::uint64_t offset = registers.rip - beginning_;
    if (offset >= LARGEST_PROGRAM || seen_[offset]) {
      return;
    }
    seen_[offset] = true;
    file_ << std::hex << offset << '\n';
  }

 private:
  std::uint64_t beginning_;
  std::ofstream& file_;
  std::vector<bool> seen_;
};

// What goes on with that stop: a step's own trap, ptrace's events and a child's first stop are not its.
int signal_to_deliver(int status, bool is_new) {
  const int signal = WSTOPSIG(status);
  const bool is_ours = signal == SIGTRAP || (signal == SIGSTOP && is_new);
  return is_ours ? 0 : signal;
}

// Returns the status that the command ended with.
int step_to_the_end(pid_t pid, std::ofstream& file) {
  Uses uses(read_load_address(pid), file);
  std::set<pid_t> known{pid};
  ptrace(PTRACE_SINGLESTEP, pid, nullptr, 0);
  int status = 0;
  for (pid_t who = 0; (who = waitpid(-1, &status, __WALL)) > 0;) {
    if (!WIFSTOPPED(status)) {
      if (who == pid) {
        return status;
      }
      continue;
    }
    if (status >> 16 == PTRACE_EVENT_EXEC) {
      ptrace(PTRACE_DETACH, who, nullptr, 0);
      continue;
    }
    uses.note(who);
    ptrace(PTRACE_SINGLESTEP, who, nullptr, signal_to_deliver(status, known.insert(who).second));
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: first_use FILE COMMAND ARGUMENT...\n", stderr);
    return 2;
  }
  std::ofstream file(argv[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    execute_traced(argv + 2);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, pid, nullptr,
         PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
             PTRACE_O_TRACEEXEC);
  status = step_to_the_end(pid, file);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "first_use: %s failed\n", argv[2]);
    return 1;
  }
  return 0;
}
