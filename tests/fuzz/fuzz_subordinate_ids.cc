// Whatever /etc/subuid holds, the map made of it is one the kernel takes: no id twice on either side, none
// beyond the last, not too many ranges; and it is read back as it was written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "namespaces/plan.h"

namespace {

bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
  return a < b + b_size && b < a + a_size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace capsule::ns;
  const std::string_view table(reinterpret_cast<const char*>(data), size);
  const auto map = automatic_map(1000, parse_subordinate_ids(table, "walter", 1000));
  if (map.empty() || map.size() > kMostRanges || host_id(map, 0) != 1000) __builtin_trap();
  for (const auto& range : map) {
    if (range.size == 0 || std::uint64_t{range.host_id} + range.size > UINT32_MAX ||
        std::uint64_t{range.container_id} + range.size > UINT32_MAX)
      __builtin_trap();
    for (const auto* other = map.data(); other != &range; ++other) {
      if (overlap(range.host_id, range.size, other->host_id, other->size) ||
          overlap(range.container_id, range.size, other->container_id, other->size))
        __builtin_trap();
    }
  }
  const auto again = parse_id_map(describe_id_map(map));
  if (!again.has_value() || !is_same_map(*again, map)) __builtin_trap();
  return 0;
}
