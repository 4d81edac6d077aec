// The kernel's files of numbers. What is refused is refused in one line, for it goes to a terminal and into
// logs.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cgroups/facts.h"
#include "cgroups/stats.h"

namespace {

using namespace capsule;

template <class T>
void require_one_line(const Result<T>& parsed) {
  if (parsed.has_value()) return;
  for (const char c : parsed.error().message())
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size <
      64)  // what the kernel writes names no processor twice; a long hostile line could fill the memory
    require_one_line(cgroups::parse_number_list(text, "cpuset.cpus.effective"));
  require_one_line(cgroups::parse_amount(text, "memory.max"));
  require_one_line(cgroups::parse_counters(text, "memory.stat"));
  require_one_line(cgroups::parse_pressure(text, "cpu.pressure"));
  require_one_line(cgroups::parse_io_stat(text, "io.stat"));
  (void)cgroups::find_schema(text, "L3:");
  (void)cgroups::parse_proc_cgroup(text);
  return 0;
}
