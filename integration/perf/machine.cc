// Prints what a few primitive things cost on this machine, in nanoseconds: a system call, a page fault, the
// CPUID instruction. They explain most of the difference between the same benchmark on two machines: under
// some hypervisors CPUID traps and a dynamic linker executes dozens of them; a page fault costs between 0.25
// µs on bare metal and several µs in a nested guest.
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace {

using Clock = std::chrono::steady_clock;

// The best of several batches: the machine is shared, and only other work can make a batch slower.
template <class Operation>
double measure_ns(int repetitions, Operation operation) {
  double best = 1e18;
  for (int batch = 0; batch < 9; ++batch) {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < repetitions; ++i) {
      operation(i);
    }
    const std::chrono::duration<double, std::nano> elapsed = Clock::now() - begin;
    best = std::min(best, elapsed.count() / repetitions);
  }
  return best;
}

double measure_page_fault_ns() {
  constexpr int kPages = 256;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t size = kPages * page;
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return 0;
  }
  madvise(memory, size, MADV_NOHUGEPAGE);
  volatile char* const bytes = static_cast<char*>(memory);
  const double result = measure_ns(kPages, [&](int i) {
    if (i == 0) {
      madvise(memory, size, MADV_DONTNEED);
    }
    bytes[static_cast<size_t>(i) * page] = 1;
  });
  munmap(memory, size);
  return result;
}

double measure_cpuid_ns() {
#if defined(__x86_64__) || defined(__i386__)
  return measure_ns(200, [](int) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    __cpuid(0, a, b, c, d);
  });
#else
  return 0;
#endif
}

}  // namespace

int main() {
  std::printf("syscall_ns\t%.0f\n", measure_ns(2000, [](int) { syscall(SYS_getppid); }));
  std::printf("page_fault_ns\t%.0f\n", measure_page_fault_ns());
  std::printf("cpuid_ns\t%.0f\n", measure_cpuid_ns());
}
