// A user namespace without maps, for a user who may have some: looked up where newuidmap will check them.
#include <unistd.h>

#include <cstdlib>

#include "namespaces/plan.h"
#include "runtime/base/file.h"
#include "runtime/container/owner.h"
#include "runtime/launch/id_maps.h"
#include "runtime/launch/map_helper.h"

namespace capsule::launch {
namespace {

bool wants_maps(const spec::Spec& spec) {
  if (!spec.linux.has_value()) return false;
  const spec::Linux& l = *spec.linux;
  if (!l.uid_mappings.empty() || !l.gid_mappings.empty()) return false;
  for (const spec::Namespace& entry : l.namespaces) {
    if (entry.type == spec::NamespaceType::user) return entry.path.value_or("").empty();
  }
  return false;
}

// A file that is not there, or not for us, gives nothing.
std::string read_table(const char* path) {
  Result<std::string> table = read_file(FdRef::cwd(), path);
  return table.has_value() ? std::move(table).value() : std::string();
}

bool has_helpers() {
  const char* path = std::getenv("PATH");
  return !find_helper("newuidmap", path).empty() && !find_helper("newgidmap", path).empty();
}

}  // namespace

Status add_automatic_maps(spec::Spec& spec) {
  const uid_t uid = ::geteuid();
  if (uid == 0 || !wants_maps(spec)) return {};

  const std::string user = container::find_user_name(read_table("/etc/passwd"), uid).value_or("");
  std::vector<ns::IdRange> uids = ns::parse_subordinate_ids(read_table("/etc/subuid"), user, uid);
  std::vector<ns::IdRange> gids = ns::parse_subordinate_ids(read_table("/etc/subgid"), user, uid);
  if (uids.empty() || gids.empty() || !has_helpers()) {  // then users and groups alike: one id each
    uids.clear();
    gids.clear();
  }
  spec.linux->uid_mappings = ns::automatic_map(uid, uids);
  spec.linux->gid_mappings = ns::automatic_map(::getegid(), gids);
  return {};
}

}  // namespace capsule::launch
