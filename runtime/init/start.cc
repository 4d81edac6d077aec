// Where the kernel enters: the stack holds argc, argv, NULL, envp. And the memory functions that the compiler
// calls on its own.
#include <stddef.h>

namespace capsule::init {
[[noreturn]] void run(long argc, const char* const* argv);
}

extern "C" {

[[noreturn, gnu::used]] void capsule_init_start(const long* stack) {
  capsule::init::run(stack[0], reinterpret_cast<const char* const*>(stack + 1));
}

void* memcpy(void* to, const void* from, size_t size) {
  auto* t = static_cast<char*>(to);
  const auto* f = static_cast<const char*>(from);
  for (size_t i = 0; i < size; ++i) {
    t[i] = f[i];
    __asm__ volatile("" ::: "memory");  // or the compiler sees a memcpy here and calls it
  }
  return to;
}

void* memset(void* to, int value, size_t size) {
  auto* t = static_cast<char*>(to);
  for (size_t i = 0; i < size; ++i) {
    t[i] = static_cast<char>(value);
    __asm__ volatile("" ::: "memory");
  }
  return to;
}

}  // extern "C"

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    ".type _start,@function\n"
    "_start:\n"
    "  xor %ebp,%ebp\n"
    "  mov %rsp,%rdi\n"
    "  and $-16,%rsp\n"
    "  call capsule_init_start\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    ".type _start,%function\n"
    "_start:\n"
    "  mov x29,#0\n"
    "  mov x30,#0\n"
    "  mov x0,sp\n"
    "  bl capsule_init_start\n");
#endif
