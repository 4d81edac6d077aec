// What runs in a container, reached through its cgroup.
#pragma once

#include <optional>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/container/container.h"

namespace capsule::container {

// Freezing and thawing take microseconds; a process in uninterruptible sleep can hold them up for ever.
inline constexpr int kFreezeTimeoutMs = 10'000;

// Whether the record names a cgroup of the container's own. The root cgroup, which holds the whole host, is
// none, whatever a record says.
bool has_cgroup(const spec::Record& record);
// nullopt: the container has no cgroup, or it is gone.
Result<std::optional<UniqueFd>> find_cgroup(const spec::Record& record);

// Of the container's own freezer. A cgroup that is not there is not frozen.
bool is_frozen(const Container& container);

// After a SIGKILL: the dead need no thawing, but what else is in there, or comes next, must not find itself
// frozen.
Status thaw_after_kill(FdRef cgroup);

// SIGKILL to init and to everything in the cgroup, frozen or not. Nothing left to kill is success.
Status kill_everything(const Container& container);

}  // namespace capsule::container
