// linux.personality: the execution domain of personality(2).
#include <array>

#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

constexpr auto kDomains = std::to_array({
    // <linux/personality.h>; the C library's header of that name has them too
    Named<std::uint64_t>{"LINUX", 0x0000},
    Named<std::uint64_t>{"LINUX32", 0x0008},
});

}  // namespace

Status plan_personality(const spec::Personality& personality,
                        std::string_view field,
                        plan::Builder& builder) {
  const Named<std::uint64_t>* domain = find_named(kDomains, personality.domain);
  if (domain == nullptr) {
    return Error::invalid_config(cat({field, "/domain"}),
                                 cat({"invalid personality domain ", quoted(personality.domain)}));
  }
  // config-linux.md#personality: "additional flags", of which it defines none.
  if (!personality.flags.empty()) log::warning(cat({field, "/flags: personality flags are ignored"}));
  builder.add(field, plan::Personality{.persona = domain->value});
  return {};
}

}  // namespace capsule::process
