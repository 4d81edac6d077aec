// The list format of cpuset(7): "0-3,7". Spaces around and empty elements between commas are let through, as
// the kernel and runc do.
#include <limits>

#include "runtime/base/text.h"
#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr unsigned kHighestBit =
    65535;  // far above what any kernel is built for, and still only 8 KiB of mask
constexpr unsigned kWordBits = std::numeric_limits<unsigned long>::digits;

struct BitRange {
  unsigned first, last;
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::optional<BitRange> parse_range(std::string_view element) {
  const std::size_t dash = element.find('-');
  const std::optional<unsigned> first = parse_integer<unsigned>(element.substr(0, dash));
  const std::optional<unsigned> last =
      dash == std::string_view::npos ? first : parse_integer<unsigned>(element.substr(dash + 1));
  if (!first.has_value() || !last.has_value() || *first > *last || *last > kHighestBit) return std::nullopt;
  return BitRange{*first, *last};
}

void set_bits(std::vector<unsigned long>& mask, BitRange range) {
  if (mask.size() <= range.last / kWordBits) mask.resize(range.last / kWordBits + 1);
  for (unsigned bit = range.first; bit <= range.last; ++bit)
    mask[bit / kWordBits] |= 1UL << (bit % kWordBits);
}

}  // namespace

Result<std::vector<unsigned long>> parse_bit_list(std::string_view list, std::string_view field) {
  std::vector<unsigned long> mask;
  for (const std::string_view part : split(list, ',')) {
    const std::string_view element = trim(part);
    if (element.empty()) continue;
    const std::optional<BitRange> range = parse_range(element);
    if (!range.has_value()) {
      return Error::invalid_config(
          field, cat({quoted(element), " is not a number or a range of numbers up to 65535"}));
    }
    set_bits(mask, *range);
  }
  return mask;
}

}  // namespace capsule::process
