// What a program without a C library needs to talk to the kernel: raw system calls, a clone3 that starts a
// function on its own stack, an entry point, and a little text. Used by the payloads and by the floor
// program, whose start-up must cost nothing but execve.
//
// Only x86-64: the calling convention of system calls and the entry point are written for it.
#pragma once

#include <linux/sched.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef __x86_64__
#error "the libc-free programs of the benchmark are written for x86-64"
#endif

namespace bare {

template <class T>
long to_register(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}

inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// The result is the kernel's own: a value, or -errno.
template <class... Args>
long call(long number, Args... args) {
  static_assert(sizeof...(Args) <= 6, "no call takes more");
  const long words[6] = {to_register(args)...};
  return raw_call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

[[noreturn]] inline void exit(int status) {
  for (;;) {
    call(SYS_exit_group, status);
  }
}

// Starts `entry` in a child that runs on `stack_top`. Needed for CLONE_VM, where parent and child share
// memory and so must not share a stack; the C library's clone() would do, but there is none here. Returns
// what clone3 returns to the parent; the child never comes back.
inline long clone_on_stack(clone_args& args, void (*entry)()) {
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "call *%[entry]\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&args), "S"(sizeof args), [entry] "r"(entry)
      : "rcx", "r11", "memory", "cc");
  return result;
}

inline bool equal(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

// Text put together from pieces. What does not fit is cut off: every use here is far below the limit.
class Text {
 public:
  template <class... Pieces>
  explicit Text(Pieces... pieces) {
    text_[0] = '\0';
    (add(pieces), ...);
  }

  const char* c_str() const { return text_; }
  size_t size() const { return used_; }

 private:
  void add(const char* piece) {
    while (*piece != '\0' && used_ + 1 < sizeof text_) {
      text_[used_++] = *piece++;
    }
    text_[used_] = '\0';
  }

  void add(uint64_t number) {
    char digits[21];
    size_t first = sizeof digits;
    digits[--first] = '\0';
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add(digits + first);
  }

  char text_[1024];
  size_t used_ = 0;
};

// Reads the decimal number at `text` and moves past it and the one separator that follows.
inline uint64_t take_number(const char*& text) {
  uint64_t number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + static_cast<uint64_t>(*text - '0');
  }
  if (*text != '\0') {
    ++text;
  }
  return number;
}

}  // namespace bare

// The compiler may turn any initialisation or copy into one of these two, so they must exist even here. Weak,
// so that each program can include this header in one file or in several.
extern "C" {
[[gnu::weak, gnu::used]] void* memset(void* target, int value, size_t count) {
  void* cursor = target;
  asm volatile("rep stosb" : "+D"(cursor), "+c"(count) : "a"(value) : "memory");
  return target;
}

[[gnu::weak, gnu::used]] void* memcpy(void* target, const void* source, size_t count) {
  void* cursor = target;
  asm volatile("rep movsb" : "+D"(cursor), "+S"(source), "+c"(count) : : "memory");
  return target;
}
}

// The kernel enters with argc at the top of the stack, argv right above it. `bare_main` receives that
// address.
#define BARE_ENTRY_POINT   \
  asm(".globl _start\n"    \
      "_start:\n\t"        \
      "xor %ebp, %ebp\n\t" \
      "mov %rsp, %rdi\n\t" \
      "and $-16, %rsp\n\t" \
      "call bare_main\n\t" \
      "ud2\n")
