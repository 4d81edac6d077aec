// Anything we accept must survive being written and read again; anything else must be refused, not crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "spec/read.h"
#include "spec/validate.h"
#include "spec/write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto spec = capsule::spec::read(bytes);
  if (!spec.has_value()) {
    // One line, whatever the document holds: it goes to a terminal and into logs.
    if (spec.error().message().find_first_of(std::string_view("\0\n\x1b", 3)) != std::string::npos)
      __builtin_trap();
    return 0;
  }
  const std::string again = capsule::spec::write(spec.value());
  const auto second = capsule::spec::read(again);
  if (!second.has_value() || capsule::spec::write(second.value()) != again) __builtin_trap();
  if (capsule::spec::validate(spec.value()).has_value() !=
      capsule::spec::validate(second.value()).has_value()) {
    __builtin_trap();
  }
  return 0;
}
