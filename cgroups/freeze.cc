#include <cerrno>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "cgroups/remaining.h"
#include "cgroups/wait.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {

Status write_freeze(FdRef cgroup, FreezeState state, int timeout_ms) {
  const bool freezes = state == FreezeState::frozen;
  const Deadline deadline(timeout_ms);
  Status written = write_cgroup_file(cgroup, "cgroup.freeze", freezes ? "1" : "0");
  if (!written.has_value() && written.error().code() == ENOENT) {
    if (!freezes) return {};
    return Error::unsupported(
        "the kernel cannot freeze cgroups: cgroup.freeze is missing, it came with Linux 5.2");
  }
  TRY(std::move(written));

  // Thawing is not waited for: "frozen 0" may never come while an ancestor is frozen, and whoever thaws has
  // done all it can.
  if (!freezes) return {};
  if (TRY(wait_for_event(cgroup, "frozen", true, deadline)) == Waited::reached) return {};
  const std::string remaining = describe_remaining(cgroup);
  TRY(write_cgroup_file(cgroup, "cgroup.freeze",
                        "0"));  // half frozen is worse than not: its locks would stay taken
  return Error::wrong_state(
      cat({"cgroup not frozen within ", std::to_string(timeout_ms), " ms: ", remaining}));
}

}  // namespace capsule::cgroups
