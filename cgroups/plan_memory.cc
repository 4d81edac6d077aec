#include "cgroups/plan_parts.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::int64_t kUnlimited = -1;
constexpr const char* kLimitField = "/linux/resources/memory/limit";
constexpr const char* kSwapField = "/linux/resources/memory/swap";
constexpr const char* kReservationField = "/linux/resources/memory/reservation";

Status check_bytes(const std::optional<std::int64_t>& bytes, const char* field) {
  if (bytes.value_or(0) >= kUnlimited) return {};
  return Error::invalid_config(field, "must be a number of bytes, or -1 for no limit");
}

std::string spell(std::int64_t bytes) {
  return bytes == kUnlimited ? "max" : std::to_string(bytes);
}

// config.json counts memory plus swap, as cgroup v1 did; memory.swap.max counts swap alone.
Result<std::optional<std::int64_t>> swap_alone(std::int64_t limit, std::int64_t memory_and_swap) {
  if (memory_and_swap ==
      0) {  // not given: who asked for unlimited memory did not mean to stop at the default of swap
    return limit == kUnlimited ? std::optional(kUnlimited) : std::nullopt;
  }
  if (memory_and_swap == kUnlimited || limit == kUnlimited) return std::optional(memory_and_swap);
  if (limit == 0) {
    return Error::invalid_config(kSwapField,
                                 "unable to set swap limit without memory limit: it includes memory");
  }
  if (memory_and_swap < limit) {
    return Error::invalid_config(kSwapField, "memory+swap limit should be >= memory limit");
  }
  return std::optional(memory_and_swap - limit);
}

}  // namespace

Status plan_memory(const spec::Memory& memory, Writes& writes) {
  TRY(check_bytes(memory.limit, kLimitField));
  TRY(check_bytes(memory.swap, kSwapField));
  TRY(check_bytes(memory.reservation, kReservationField));
  const std::int64_t limit = memory.limit.value_or(0);  // 0, as v1 tools write it: not given

  if (const auto swap = TRY(swap_alone(limit, memory.swap.value_or(0)))) {
    // Without the file there is no swap to be had: kernels without swap accounting, hosts started with
    // swapaccount=0.
    const bool holds_anyway = *swap == kUnlimited || *swap == 0;
    const char* field = memory.swap.value_or(0) != 0 ? kSwapField : kLimitField;
    writes.push_back(
        {.file = "memory.swap.max", .value = spell(*swap), .field = field, .optional = holds_anyway});
  }
  if (limit != 0) {
    const bool checks_usage = memory.check_before_update.value_or(false) && limit != kUnlimited;
    writes.push_back({.file = "memory.max",
                      .value = spell(limit),
                      .field = kLimitField,
                      .optional = limit == kUnlimited,
                      .usage_file = checks_usage ? "memory.current" : ""});
  }
  if (memory.reservation.value_or(0) != 0) {
    // "max" is a real protection here, not the absence of one: memory.low defaults to 0.
    writes.push_back({.file = "memory.low", .value = spell(*memory.reservation), .field = kReservationField});
  }
  return {};
}

}  // namespace capsule::cgroups
