// merge_resources: pure, an object of /linux/resources after the other.
#include <algorithm>

#include "cgroups/update.h"

namespace capsule::cgroups {
namespace {

constexpr std::int64_t kUnlimited = -1;

template <class T>
void take(std::optional<T>& old, const std::optional<T>& change) {
  if (change.has_value()) old = change;
}

// Where 0 is how tools in Go write "not given".
template <class T>
void take_unless_zero(std::optional<T>& old, const std::optional<T>& change) {
  if (change.value_or(0) != 0) old = change;
}

void take_text(std::optional<std::string>& old, const std::optional<std::string>& change) {
  if (change.has_value() && !change->empty()) old = change;
}

// The sum of memory and swap once `limit` has changed and the swap alone has not.
std::int64_t sum_for(const spec::Memory& old, std::int64_t limit) {
  const std::int64_t sum = old.swap.value_or(0);
  if (limit == kUnlimited) return kUnlimited;
  if (sum <= 0) return sum;
  const std::int64_t swap = sum - std::max<std::int64_t>(old.limit.value_or(0), 0);
  return swap < 0 ? limit : limit + swap;
}

spec::Memory merge_memory(const spec::Memory& old, const spec::Memory& change) {
  spec::Memory merged = old;
  if (change.limit.value_or(0) != 0) {
    const std::int64_t sum = sum_for(old, *change.limit);
    merged.limit = change.limit;
    if (sum != 0) merged.swap = sum;
  }
  take_unless_zero(merged.swap, change.swap);
  take_unless_zero(merged.reservation, change.reservation);
  take(merged.kernel, change.kernel);
  take(merged.kernel_tcp, change.kernel_tcp);
  take(merged.swappiness, change.swappiness);
  take(merged.disable_oom_killer, change.disable_oom_killer);
  take(merged.use_hierarchy, change.use_hierarchy);
  take(merged.check_before_update, change.check_before_update);
  return merged;
}

spec::Cpu merge_cpu(const spec::Cpu& old, const spec::Cpu& change) {
  spec::Cpu merged = old;
  take_unless_zero(merged.shares, change.shares);
  take_unless_zero(merged.quota, change.quota);
  take(merged.burst, change.burst);
  take_unless_zero(merged.period, change.period);
  take(merged.realtime_runtime, change.realtime_runtime);
  take(merged.realtime_period, change.realtime_period);
  take_text(merged.cpus, change.cpus);
  take_text(merged.mems, change.mems);
  take(merged.idle, change.idle);
  return merged;
}

// Replaces what names the same thing, and adds what is new.
template <class T, class Same>
void take_entries(std::vector<T>& old, const std::vector<T>& change, Same same) {
  for (const T& entry : change) {
    const auto found = std::find_if(old.begin(), old.end(), [&](const T& o) { return same(o, entry); });
    if (found != old.end()) {
      *found = entry;
    } else {
      old.push_back(entry);
    }
  }
}

constexpr auto kSameDevice = [](const auto& a, const auto& b) {
  return a.major == b.major && a.minor == b.minor;
};

spec::BlockIo merge_block_io(const spec::BlockIo& old, const spec::BlockIo& change) {
  spec::BlockIo merged = old;
  take_unless_zero(merged.weight, change.weight);
  take_unless_zero(merged.leaf_weight, change.leaf_weight);
  take_entries(merged.weight_device, change.weight_device, kSameDevice);
  take_entries(merged.throttle_read_bps_device, change.throttle_read_bps_device, kSameDevice);
  take_entries(merged.throttle_write_bps_device, change.throttle_write_bps_device, kSameDevice);
  take_entries(merged.throttle_read_iops_device, change.throttle_read_iops_device, kSameDevice);
  take_entries(merged.throttle_write_iops_device, change.throttle_write_iops_device, kSameDevice);
  return merged;
}

spec::Pids merge_pids(const spec::Pids& old, const spec::Pids& change) {
  spec::Pids merged = old;
  take(merged.limit, change.limit);
  return merged;
}

spec::Network merge_network(const spec::Network& old, const spec::Network& change) {
  spec::Network merged = old;
  take(merged.class_id, change.class_id);
  take_entries(merged.priorities, change.priorities,
               [](const auto& a, const auto& b) { return a.name == b.name; });
  return merged;
}

template <class T>
void take_object(std::optional<T>& old, const std::optional<T>& change, T (*merge)(const T&, const T&)) {
  if (change.has_value()) old = merge(old.value_or(T()), *change);
}

}  // namespace

spec::LinuxResources merge_resources(const spec::LinuxResources& old, const spec::LinuxResources& change) {
  spec::LinuxResources merged = old;
  take_object(merged.memory, change.memory, merge_memory);
  take_object(merged.cpu, change.cpu, merge_cpu);
  take_object(merged.pids, change.pids, merge_pids);
  take_object(merged.block_io, change.block_io, merge_block_io);
  take_entries(merged.hugepage_limits, change.hugepage_limits,
               [](const auto& a, const auto& b) { return a.page_size == b.page_size; });
  take_object(merged.network, change.network, merge_network);
  for (const auto& [device, limit] : change.rdma) {
    take(merged.rdma[device].hca_handles, limit.hca_handles);
    take(merged.rdma[device].hca_objects, limit.hca_objects);
  }
  for (const auto& [file, value] : change.unified)
    merged.unified[file] = value;
  return merged;
}

}  // namespace capsule::cgroups
