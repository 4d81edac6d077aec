// Two documents of resources, what a container has and what `update` is given, with a zero byte between them.
// The same change made again changes nothing, and what is put back is never an empty write.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cgroups/update.h"
#include "spec/read.h"
#include "spec/validate.h"
#include "spec/write.h"

namespace {

using namespace capsule;

std::string as_text(spec::LinuxResources resources) {
  spec::Spec spec;
  spec.linux.emplace().resources = std::move(resources);
  return spec::write(spec);
}

Result<spec::LinuxResources> read(std::string_view json) {
  spec::LinuxResources resources = TRY(spec::read_resources(json));
  TRY(spec::validate_resources(resources, "/linux/resources"));
  return resources;
}

void check_writes(const std::vector<cgroups::Write>& writes, std::string_view content) {
  for (const cgroups::Write& write : writes) {
    if (write.file.empty() || write.file.find('/') != std::string::npos) __builtin_trap();
    for (const std::string& line : cgroups::plan_restore(write.file, content, {write.value}))
      if (line.empty()) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = bytes.find('\0');
  if (zero == std::string_view::npos) return 0;
  const auto old = read(bytes.substr(0, zero));
  const auto change = read(bytes.substr(zero + 1));
  if (!old.has_value() || !change.has_value()) return 0;

  const auto update = cgroups::plan_update(old.value(), change.value());
  if (!update.has_value()) return 0;
  check_writes(update.value().writes, bytes);
  const auto again = cgroups::plan_update(update.value().resources, change.value());
  if (!again.has_value() || as_text(again.value().resources) != as_text(update.value().resources))
    __builtin_trap();
  return 0;
}
