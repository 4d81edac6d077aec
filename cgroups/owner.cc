#include <fcntl.h>

#include <cerrno>

#include "cgroups/cgroup.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr gid_t kSameGroup = static_cast<gid_t>(-1);

std::string read_delegated_names() {
  Result<std::string> names = read_file(FdRef::cwd(), "/sys/kernel/cgroup/delegate");
  // Kernels before 4.15 have no list; these three are what it began with.
  return names.has_value() ? std::move(names).value()
                           : "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
}

}  // namespace

Status apply_owner(FdRef cgroup, uid_t uid) {
  TRY(sys::fchownat(cgroup, "", uid, kSameGroup, AT_EMPTY_PATH).context("cgroup"));
  const std::string names = read_delegated_names();
  for (const std::string_view name : split(names, '\n')) {
    if (name.empty()) continue;
    Status given = sys::fchownat(cgroup, std::string(name).c_str(), uid, kSameGroup, AT_SYMLINK_NOFOLLOW);
    // The list is of all controllers together: memory.oom.group is there only with memory.
    if (!given.has_value() && given.error().code() != ENOENT) return given;
  }
  return {};
}

}  // namespace capsule::cgroups
