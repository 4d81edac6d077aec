#include "runtime/launch/clone.h"

#include <asm/unistd.h>

namespace capsule::launch {

long clone_with_stack(const clone_args& args, void (*entry)(void*), void* argument) {
#if defined(__x86_64__)
  long result = 0;
  register void (*function)(void*) __asm__("r12") = entry;
  register void* first __asm__("r13") = argument;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(__NR_clone3), "D"(&args), "S"(sizeof(args)), "r"(function), "r"(first)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = __NR_clone3;
  register long result __asm__("x0") = reinterpret_cast<long>(&args);
  register long size __asm__("x1") = sizeof(args);
  register void (*function)(void*) __asm__("x19") = entry;
  register void* first __asm__("x20") = argument;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk #1\n"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(function), "r"(first)
      : "memory", "x30");
  return result;
#endif
}

}  // namespace capsule::launch
