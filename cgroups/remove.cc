#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "cgroups/kill.h"
#include "cgroups/remaining.h"
#include "cgroups/wait.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr int kRetryMs = 2;
constexpr int kRoundMs = 50;  // then everything is killed again, in another way

// The directory that holds a cgroup, and its name there.
struct Place {
  UniqueFd parent;
  std::string name;
};

Result<Place> open_place(const std::string& mount, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  Place place{{}, slash == std::string::npos ? path : path.substr(slash + 1)};
  if (place.name.empty()) return Error::wrong_state("the root cgroup cannot be removed");
  place.parent = TRY(open_cgroup(mount, slash == std::string::npos ? "" : path.substr(0, slash)));
  return place;
}

enum class Removal { done, busy };

Result<Removal> remove_directory(FdRef dir, const std::string& path) {
  Status removed = sys::unlinkat(dir, path.c_str(), AT_REMOVEDIR);
  if (removed.has_value() || is_gone(removed.error())) return Removal::done;
  if (removed.error().code() == EBUSY) return Removal::busy;
  return std::move(removed).error();
}

// Bottom-up: only leaves can go.
Result<Removal> remove_below(FdRef cgroup) {
  const std::vector<std::string> tree = TRY(read_tree(cgroup));
  for (auto path = tree.rbegin(); path != tree.rend() - 1; ++path) {
    if (is_cut(*path)) {
      Result<UniqueFd> below = open_beneath(cgroup, path->c_str(), O_RDONLY | O_DIRECTORY);
      if (!below.has_value() && is_gone(below.error())) continue;
      const UniqueFd deeper = TRY(std::move(below));
      if (TRY(remove_below(deeper)) == Removal::busy) return Removal::busy;
    }
    if (TRY(remove_directory(cgroup, *path)) == Removal::busy) return Removal::busy;
  }
  return Removal::done;
}

Result<Removal> remove_tree(const Place& place, FdRef cgroup) {
  if (TRY(remove_below(cgroup)) == Removal::busy) return Removal::busy;
  return remove_directory(place.parent, place.name);
}

// Sleeps until the last process has gone, or until it is time to look again. Without one, what keeps the
// directory busy is a new cgroup in it or the kernel's own bookkeeping.
Status wait_until_removable(FdRef cgroup, const Deadline& deadline) {
  if (TRY(read_populated(cgroup))) {
    const Deadline round(std::min(kRoundMs, deadline.remaining_ms()));
    (void)TRY(wait_for_event(cgroup, "populated", false, round));
  } else {
    (void)TRY(sys::poll({}, kRetryMs));  // a pause
  }
  return {};
}

}  // namespace

Status remove(const std::string& mount, const std::string& path, bool kill, int timeout_ms) {
  const Deadline deadline(timeout_ms);
  Result<Place> found = open_place(mount, path);
  if (!found.has_value() && is_gone(found.error())) return {};
  const Place place = TRY(std::move(found));
  // At the end of most containers nobody is left, and no cgroup below.
  if (TRY(remove_directory(place.parent, place.name)) == Removal::done) return {};

  Result<UniqueFd> opened = open_cgroup(mount, path);
  if (!opened.has_value() && is_gone(opened.error())) return {};
  const UniqueFd cgroup = TRY(std::move(opened));
  for (Status (*end)(FdRef) = kill_at_once;; end = kill_all) {
    if (kill) TRY(end(cgroup));
    if (TRY(remove_tree(place, cgroup)) == Removal::done) return {};
    if (deadline.remaining_ms() == 0) {
      return Error::wrong_state(cat({"cgroup ", path, " not removed within ", std::to_string(timeout_ms),
                                     " ms: ", describe_remaining(cgroup)}));
    }
    TRY(wait_until_removable(cgroup, deadline));
  }
}

}  // namespace capsule::cgroups
