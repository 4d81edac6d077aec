// A state.json that is accepted names a container and a cgroup below its mount, and survives being written
// and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "spec/write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto record = capsule::spec::read_record({reinterpret_cast<const char*>(data), size});
  if (!record.has_value()) return 0;

  const capsule::spec::Record& accepted = record.value();
  if (accepted.id.empty() || accepted.id.find('/') != std::string::npos || accepted.pid < 0) __builtin_trap();
  if ((accepted.cgroup_path + "/").find("/../") != std::string::npos) __builtin_trap();

  const std::string again = capsule::spec::write_record(accepted);
  const auto second = capsule::spec::read_record(again);
  if (!second.has_value() || capsule::spec::write_record(second.value()) != again) __builtin_trap();
  return 0;
}
