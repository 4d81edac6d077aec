// Runs a command several times at once and waits for all of them: the timed command of parallel_N.
//
//   parallel NUMBER PROGRAM ARGUMENT...       '%' in an argument stands for 0, 1, ... NUMBER-1
//
// Fails if one of them failed. No C library, because its start-up would be part of the measured time; and
// each child shares this program's memory until it executes, so that starting it copies no page tables.
#include <linux/sched.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "bare.h"

namespace {

using bare::call;
using bare::Text;

constexpr size_t kMostArguments = 32;
constexpr size_t kLongestArgument = 512;
alignas(16) char stack[4096];
char filled[kMostArguments][kLongestArgument];
char* arguments[kMostArguments + 1];
char** environment;

[[noreturn]] void fail(const char* what) {
  const Text message("parallel: ", what, "\n");
  call(SYS_write, 2, message.c_str(), message.size());
  bare::exit(1);
}

void fill(const char* pattern, char* target, uint64_t number) {
  const Text digits(number);
  const char* const end = target + kLongestArgument;
  for (; *pattern != '\0'; ++pattern) {
    const bool is_place = *pattern == '%';
    const size_t size = is_place ? digits.size() : 1;
    if (target + size >= end) {
      fail("an argument is too long");
    }
    memcpy(target, is_place ? digits.c_str() : pattern, size);
    target += size;
  }
  *target = '\0';
}

void fill_arguments(char** patterns, uint64_t number) {
  size_t count = 0;
  for (; patterns[count] != nullptr; ++count) {
    if (count == kMostArguments) {
      fail("too many arguments");
    }
    fill(patterns[count], filled[count], number);
    arguments[count] = filled[count];
  }
  arguments[count] = nullptr;
}

[[noreturn]] void execute() {
  call(SYS_execve, arguments[0], arguments, environment);
  bare::exit(127);
}

// With CLONE_VFORK the stack and the arguments are free again when this returns.
void spawn() {
  clone_args args{};
  args.flags = CLONE_VM | CLONE_VFORK;
  args.exit_signal = SIGCHLD;
  args.stack = reinterpret_cast<uint64_t>(stack);
  args.stack_size = sizeof stack;
  if (bare::clone_on_stack(args, execute) < 0) {
    fail("clone3");
  }
}

bool await_one() {
  int status = 0;
  long ended = -EINTR;
  while (ended == -EINTR) {
    ended = call(SYS_wait4, -1, &status, 0, nullptr);
  }
  return ended > 0 && status == 0;
}

}  // namespace

extern "C" [[noreturn]] void bare_main(long* stack_at_entry) {
  const long count = stack_at_entry[0];
  char** const words = reinterpret_cast<char**>(stack_at_entry + 1);
  if (count < 3) {
    fail("a number and a command are needed");
  }
  environment = words + count + 1;
  const char* digits = words[1];
  const uint64_t number = bare::take_number(digits);
  for (uint64_t i = 0; i < number; ++i) {
    fill_arguments(words + 2, i);
    spawn();
  }
  bool succeeded = true;
  for (uint64_t i = 0; i < number; ++i) {
    succeeded = await_one() && succeeded;
  }
  bare::exit(succeeded ? 0 : 1);
}

BARE_ENTRY_POINT;
