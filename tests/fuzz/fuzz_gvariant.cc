// Values of annotations. What is understood is spelled so that it is understood the same way again: that is
// how it travels to capsule-systemd.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cgroups/systemd_value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using capsule::cgroups::describe;
  const auto value = capsule::cgroups::parse_gvariant({reinterpret_cast<const char*>(data), size});
  if (!value.has_value()) return 0;
  const std::string text = describe(value.value());
  if (text.find('\n') != std::string::npos) __builtin_trap();
  const auto again = capsule::cgroups::parse_gvariant(text);
  if (!again.has_value() || again.value().signature != value.value().signature) __builtin_trap();
  if (describe(again.value()) != text) __builtin_trap();
  return 0;
}
