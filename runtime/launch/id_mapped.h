// User namespaces that exist only to carry id maps to mount_setattr(2).
#pragma once

#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::launch {

// A descriptor of a new user namespace with these maps (lines for uid_map and gid_map). A child is born in
// it, held until the maps are written, and gone when this returns; the descriptor keeps the namespace.
Result<UniqueFd> make_user_namespace(const std::string& uid_map, const std::string& gid_map);

// Id-maps a detached mount; a file system that cannot be is named by its type in the error.
Status set_id_map(FdRef mount, FdRef user_namespace, bool recursive, const std::string& object);

}  // namespace capsule::launch
