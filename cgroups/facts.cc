#include "cgroups/facts.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "cgroups/files.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/base/user_namespace.h"

namespace capsule::cgroups {
namespace {

struct Mount {
  std::string path;  // empty: none
  UniqueFd root;
};

bool is_cgroup2(FdRef directory) {
  const Result<long> type = sys::fstatfs_type(directory);
  return type.has_value() && type.value() == abi::kCgroup2SuperMagic;
}

Mount find_mount() {
  // systemd's two layouts: unified, and hybrid with cgroup2 beside the v1 hierarchies.
  for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    Result<UniqueFd> root = sys::openat(FdRef::cwd(), place, O_RDONLY | O_DIRECTORY);
    if (root.has_value() && is_cgroup2(root.value())) return {place, std::move(root).value()};
  }
  return {};
}

bool may_fill(const std::string& cgroup) {
  return ::faccessat(AT_FDCWD, cgroup.c_str(), W_OK, AT_EACCESS) == 0;
}

// What is delegated to an ordinary user ends somewhere: mostly above its cgroup, sometimes right there.
bool is_top_of_delegation(const Facts& facts) {
  if (facts.own_path == "/") return false;
  if (::geteuid() == 0 && !is_in_user_namespace()) return false;
  const std::string own = cat({facts.mount, facts.own_path});
  return may_fill(own) && !may_fill(own.substr(0, own.rfind('/')));
}

}  // namespace

Membership parse_proc_cgroup(std::string_view text) {
  Membership membership{"/", {}};
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (line.substr(0, first) == "0" && controllers.empty()) {
      membership.path = line.substr(second + 1);
    } else if (!controllers.empty() && !controllers.starts_with("name=")) {
      for (const std::string_view controller : split(controllers, ','))
        membership.v1_controllers.emplace_back(controller);
    }
  }
  return membership;
}

Result<Membership> read_membership() {
  return parse_proc_cgroup(TRY(read_file(FdRef::cwd(), "/proc/self/cgroup")));
}

Result<Facts> probe_facts(Own asked) {
  Facts facts;
  Mount mount = find_mount();
  if (mount.path.empty()) return facts;
  facts.mount = std::move(mount.path);

  facts.controllers = TRY(read_words(mount.root, "cgroup.controllers"));
  if (asked == Own::left_out) return facts;

  Membership own = TRY(read_membership());
  facts.own_path = std::move(own.path);
  facts.own_is_top = is_top_of_delegation(facts);
  facts.v1_controllers = std::move(own.v1_controllers);
  return facts;
}

}  // namespace capsule::cgroups
