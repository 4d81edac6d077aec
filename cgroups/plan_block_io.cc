#include "cgroups/plan_parts.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kObject = "/linux/resources/blockIO/";
constexpr std::uint16_t kLeastWeight = 10;  // config-linux.md#block-io
constexpr std::uint16_t kMostWeight = 1000;

Status check_weight(std::uint16_t weight, const std::string& field) {
  if (weight >= kLeastWeight && weight <= kMostWeight) return {};
  return Error::invalid_config(field, "must be a weight between 10 and 1000");
}

std::string name_device(std::int64_t major, std::int64_t minor) {
  return cat({std::to_string(major), ":", std::to_string(minor)});
}

// v1 weights are 10…1000, io.weight wants 1…10000: a straight line.
std::uint64_t io_weight_of(std::uint16_t weight) {
  return 1 + (weight - std::uint64_t{kLeastWeight}) * 9999 / 990;
}

// io.bfq.weight keeps the v1 scale but is there only while the BFQ scheduler is; io.weight is the kernel's
// own knob.
Write weight_write(const std::string& device, std::uint16_t weight, std::string field) {
  const std::string prefix = device.empty() ? "" : cat({device, " "});
  return {.file = "io.bfq.weight",
          .value = cat({prefix, std::to_string(weight)}),
          .field = std::move(field),
          .fallback_file = "io.weight",
          .fallback_value = cat({prefix, std::to_string(io_weight_of(weight))})};
}

void plan_throttle(const std::vector<spec::ThrottleDevice>& devices,
                   std::string_view member,
                   std::string_view key,
                   Writes& writes) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const spec::ThrottleDevice& device = devices[i];
    // In v1 a rate of 0 lifted the limit; io.max calls that "max".
    const std::string rate = device.rate == 0 ? "max" : std::to_string(device.rate);
    writes.push_back({.file = "io.max",
                      .value = cat({name_device(device.major, device.minor), " ", key, "=", rate}),
                      .field = cat({kObject, member, "/", std::to_string(i)}),
                      .optional = device.rate == 0});
  }
}

}  // namespace

Status plan_block_io(const spec::BlockIo& block_io, Writes& writes) {
  if (block_io.weight.value_or(0) != 0) {
    const std::string field = cat({kObject, "weight"});
    TRY(check_weight(*block_io.weight, field));
    writes.push_back(weight_write("", *block_io.weight, field));
  }
  for (std::size_t i = 0; i < block_io.weight_device.size(); ++i) {
    const spec::WeightDevice& device = block_io.weight_device[i];
    if (device.weight.value_or(0) == 0) continue;  // only a leaf weight, which v2 does not have
    const std::string field = cat({kObject, "weightDevice/", std::to_string(i), "/weight"});
    TRY(check_weight(*device.weight, field));
    writes.push_back(weight_write(name_device(device.major, device.minor), *device.weight, field));
  }
  plan_throttle(block_io.throttle_read_bps_device, "throttleReadBpsDevice", "rbps", writes);
  plan_throttle(block_io.throttle_write_bps_device, "throttleWriteBpsDevice", "wbps", writes);
  plan_throttle(block_io.throttle_read_iops_device, "throttleReadIOPSDevice", "riops", writes);
  plan_throttle(block_io.throttle_write_iops_device, "throttleWriteIOPSDevice", "wiops", writes);
  return {};
}

}  // namespace capsule::cgroups
