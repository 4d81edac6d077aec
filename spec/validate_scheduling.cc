// When and where the process runs: scheduler, I/O priority, CPU lists.
#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::array<std::string_view, 7> kPolicies = {
    "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
};
constexpr std::array<std::string_view, 7> kSchedulerFlags = {
    "SCHED_FLAG_RESET_ON_FORK",  "SCHED_FLAG_RECLAIM",     "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",    "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
};
constexpr std::array<std::string_view, 3> kIoClasses = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                                        "IOPRIO_CLASS_IDLE"};

constexpr std::uint32_t kMostCpus = 65536;  // more than any kernel is built for (CONFIG_NR_CPUS)

bool is_any_of(std::string_view policy, std::string_view one, std::string_view other) {
  return policy == one || policy == other;
}

// 0 counts as absent: the Go types of the specification leave a 0 out.
template <class T>
bool is_set(const std::optional<T>& value) {
  return value.value_or(0) != 0;
}

Status check_policy(const Scheduler& scheduler, std::string_view pointer) {
  if (scheduler.policy.empty())
    return Error::invalid_config(cat({pointer, "/policy"}), "scheduler policy is required");
  if (contains(kPolicies, scheduler.policy)) return {};
  return Error::invalid_config(cat({pointer, "/policy"}),
                               cat({"invalid scheduler policy ", quoted(scheduler.policy)}));
}

Status check_nice(const Scheduler& scheduler, std::string_view pointer) {
  const std::int32_t nice = scheduler.nice.value_or(0);
  if (!is_any_of(scheduler.policy, "SCHED_OTHER", "SCHED_BATCH") || (nice >= -20 && nice <= 19)) return {};
  return Error::invalid_config(cat({pointer, "/nice"}),
                               cat({"invalid scheduler.nice: ", std::to_string(nice),
                                    " when scheduler.policy is ", scheduler.policy}));
}

Status check_priority(const Scheduler& scheduler, std::string_view pointer) {
  if (!is_set(scheduler.priority) || is_any_of(scheduler.policy, "SCHED_FIFO", "SCHED_RR")) return {};
  return Error::invalid_config(cat({pointer, "/priority"}),
                               "scheduler.priority can only be specified for SchedFIFO or SchedRR policy");
}

Status check_deadline(const Scheduler& scheduler, std::string_view pointer) {
  const bool has_times = is_set(scheduler.runtime) || is_set(scheduler.deadline) || is_set(scheduler.period);
  if (!has_times || scheduler.policy == "SCHED_DEADLINE") return {};
  return Error::invalid_config(
      pointer, "scheduler runtime/deadline/period can only be specified for SchedDeadline policy");
}

Status check_scheduler_flags(const Scheduler& scheduler, std::string_view pointer) {
  for (std::size_t i = 0; i < scheduler.flags.size(); ++i) {
    if (contains(kSchedulerFlags, scheduler.flags[i])) continue;
    return Error::invalid_config(pointer_to(cat({pointer, "/flags"}), i),
                                 cat({"invalid scheduler flag ", quoted(scheduler.flags[i])}));
  }
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

// "7" or "0-3".
std::optional<std::uint64_t> count_range(std::string_view range) {
  const std::size_t dash = range.find('-');
  const auto first = parse_integer<std::uint32_t>(trimmed(range.substr(0, dash)));
  const auto last =
      dash == std::string_view::npos ? first : parse_integer<std::uint32_t>(trimmed(range.substr(dash + 1)));
  if (!first.has_value() || !last.has_value() || *first > *last || *last >= kMostCpus) return std::nullopt;
  return std::uint64_t{*last} - *first + 1;
}

Status check_cpu_list(const std::optional<std::string>& list, const std::string& pointer) {
  if (!list.has_value() || count_list(*list).value_or(0) > 0) return {};
  return Error::invalid_config(pointer,
                               cat({"must be a list of CPUs such as \"0-3,7\", not ", quoted(*list)}));
}

}  // namespace

std::optional<std::uint64_t> count_list(std::string_view list) {
  std::uint64_t count = 0;
  for (const std::string_view part : split(list, ',')) {
    if (trimmed(part).empty()) continue;
    const std::optional<std::uint64_t> range = count_range(trimmed(part));
    if (!range.has_value()) return std::nullopt;
    count += *range;
  }
  return count;
}

Status check_scheduler(const Scheduler& scheduler, std::string_view pointer) {
  TRY(check_policy(scheduler, pointer));
  TRY(check_nice(scheduler, pointer));
  TRY(check_priority(scheduler, pointer));
  TRY(check_deadline(scheduler, pointer));
  return check_scheduler_flags(scheduler, pointer);
}

Status check_io_priority(const IoPriority& io_priority, std::string_view pointer) {
  if (io_priority.priority < 0 || io_priority.priority > 7) {
    return Error::invalid_config(cat({pointer, "/priority"}), cat({"invalid ioPriority.Priority: ",
                                                                   std::to_string(io_priority.priority)}));
  }
  if (contains(kIoClasses, io_priority.io_class)) return {};
  return Error::invalid_config(cat({pointer, "/class"}),
                               cat({"invalid ioPriority.Class: ", quoted(io_priority.io_class)}));
}

Status check_exec_cpu_affinity(const ExecCpuAffinity& affinity, std::string_view pointer) {
  TRY(check_cpu_list(affinity.initial, cat({pointer, "/initial"})));
  return check_cpu_list(affinity.final_set, cat({pointer, "/final"}));
}

}  // namespace capsule::spec
