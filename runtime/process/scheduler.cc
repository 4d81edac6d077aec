// process.scheduler: names to the struct of sched_setattr(2). Which members go together is checked by
// spec::validate.
#include <array>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

// The kernel's struct sched_attr, of our own because C libraries since glibc 2.41 and <linux/sched/types.h>
// both define it.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;
  std::uint64_t deadline;
  std::uint64_t period;
  std::uint32_t util_min;
  std::uint32_t util_max;
};
static_assert(sizeof(SchedulingAttributes) == 56);

constexpr std::uint32_t kFirstVersionSize =
    48;  // without the two clamps (Linux 5.3), which kernels built without them refuse

constexpr auto kPolicies = std::to_array({
    // <linux/sched.h>
    Named<std::uint32_t>{"SCHED_OTHER", 0},
    Named<std::uint32_t>{"SCHED_FIFO", 1},
    Named<std::uint32_t>{"SCHED_RR", 2},
    Named<std::uint32_t>{"SCHED_BATCH", 3},
    Named<std::uint32_t>{"SCHED_ISO", 4},
    Named<std::uint32_t>{"SCHED_IDLE", 5},
    Named<std::uint32_t>{"SCHED_DEADLINE", 6},
});

constexpr std::uint64_t kClampFlags = 0x20 | 0x40;
constexpr auto kFlags = std::to_array({
    Named<std::uint64_t>{"SCHED_FLAG_RESET_ON_FORK", 0x01},
    Named<std::uint64_t>{"SCHED_FLAG_RECLAIM", 0x02},
    Named<std::uint64_t>{"SCHED_FLAG_DL_OVERRUN", 0x04},
    Named<std::uint64_t>{"SCHED_FLAG_KEEP_POLICY", 0x08},
    Named<std::uint64_t>{"SCHED_FLAG_KEEP_PARAMS", 0x10},
    Named<std::uint64_t>{"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    Named<std::uint64_t>{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
});

Result<std::uint64_t> parse_flags(const std::vector<std::string>& names, std::string_view field) {
  std::uint64_t flags = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Named<std::uint64_t>* flag = find_named(kFlags, names[i]);
    if (flag == nullptr) {
      return Error::invalid_config(cat({field, "/flags/", std::to_string(i)}),
                                   cat({"invalid scheduler flag ", quoted(names[i])}));
    }
    flags |= flag->value;
  }
  return flags;
}

}  // namespace

Status plan_scheduler(const spec::Scheduler& scheduler, std::string_view field, plan::Builder& builder) {
  const Named<std::uint32_t>* policy = find_named(kPolicies, scheduler.policy);
  if (policy == nullptr) {
    return Error::invalid_config(cat({field, "/policy"}),
                                 cat({"invalid scheduler policy ", quoted(scheduler.policy)}));
  }
  SchedulingAttributes attributes{};
  attributes.policy = policy->value;
  attributes.flags = TRY(parse_flags(scheduler.flags, field));
  attributes.size = (attributes.flags & kClampFlags) != 0 ? sizeof(attributes) : kFirstVersionSize;
  attributes.nice = scheduler.nice.value_or(0);
  attributes.priority = static_cast<std::uint32_t>(scheduler.priority.value_or(0));
  attributes.runtime = scheduler.runtime.value_or(0);
  attributes.deadline = scheduler.deadline.value_or(0);
  attributes.period = scheduler.period.value_or(0);
  builder.add(field, plan::Scheduler{.attr = builder.blob(&attributes, attributes.size)});
  return {};
}

}  // namespace capsule::process
