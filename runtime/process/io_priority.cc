// process.ioPriority: class and level in the one number of ioprio_set(2).
#include <array>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

constexpr unsigned kClassShift = 13;
constexpr std::int32_t kLowestPriority = 7;

constexpr auto kClasses = std::to_array({
    // <linux/ioprio.h>
    Named<std::uint64_t>{"IOPRIO_CLASS_RT", 1},
    Named<std::uint64_t>{"IOPRIO_CLASS_BE", 2},
    Named<std::uint64_t>{"IOPRIO_CLASS_IDLE", 3},
});

}  // namespace

Status plan_io_priority(const spec::IoPriority& priority, std::string_view field, plan::Builder& builder) {
  const Named<std::uint64_t>* io_class = find_named(kClasses, priority.io_class);
  if (io_class == nullptr) {
    return Error::invalid_config(cat({field, "/class"}),
                                 cat({"invalid ioPriority.class: ", quoted(priority.io_class)}));
  }
  if (priority.priority < 0 || priority.priority > kLowestPriority) {
    return Error::invalid_config(
        cat({field, "/priority"}),
        cat({"invalid ioPriority.priority: ", std::to_string(priority.priority), " is not in 0 to 7"}));
  }
  const std::uint64_t value =
      (io_class->value << kClassShift) | static_cast<std::uint64_t>(priority.priority);
  builder.add(field, plan::IoPriority{.value = value});
  return {};
}

}  // namespace capsule::process
