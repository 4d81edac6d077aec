// Resource limits: names to the numbers of prlimit(2). RLIM_INFINITY is the largest 64-bit number, which
// config.json can write as it is.
#include <sys/resource.h>

#include <array>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr auto kResources = std::to_array({
    Named<int>{"RLIMIT_AS", RLIMIT_AS},
    Named<int>{"RLIMIT_CORE", RLIMIT_CORE},
    Named<int>{"RLIMIT_CPU", RLIMIT_CPU},
    Named<int>{"RLIMIT_DATA", RLIMIT_DATA},
    Named<int>{"RLIMIT_FSIZE", RLIMIT_FSIZE},
    Named<int>{"RLIMIT_LOCKS", RLIMIT_LOCKS},
    Named<int>{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    Named<int>{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    Named<int>{"RLIMIT_NICE", RLIMIT_NICE},
    Named<int>{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    Named<int>{"RLIMIT_NPROC", RLIMIT_NPROC},
    Named<int>{"RLIMIT_RSS", RLIMIT_RSS},
    Named<int>{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    Named<int>{"RLIMIT_RTTIME", RLIMIT_RTTIME},
    Named<int>{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    Named<int>{"RLIMIT_STACK", RLIMIT_STACK},
});
static_assert(kResources.size() == RLIM_NLIMITS);

Result<ResourceLimit> plan_rlimit(const spec::Rlimit& rlimit, std::string field) {
  const Named<int>* resource = find_named(kResources, rlimit.type);
  if (resource == nullptr)
    return Error::invalid_config(cat({field, "/type"}), cat({"wrong rlimit value: ", rlimit.type}));
  if (rlimit.soft > rlimit.hard) {
    return Error::invalid_config(cat({field, "/soft"}),
                                 cat({"the soft limit of ", rlimit.type, " is above its hard limit"}));
  }
  return ResourceLimit{resource->value, rlimit.soft, rlimit.hard, std::move(field)};
}

}  // namespace

Result<std::vector<ResourceLimit>> plan_rlimits(const std::vector<spec::Rlimit>& rlimits) {
  std::vector<ResourceLimit> limits;
  for (std::size_t i = 0; i < rlimits.size(); ++i) {
    limits.push_back(TRY(plan_rlimit(rlimits[i], cat({"/process/rlimits/", std::to_string(i)}))));
  }
  return limits;
}

}  // namespace capsule::process
