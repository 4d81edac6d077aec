// `--regex`: a command on every container whose id matches.
#pragma once

#include <functional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/container/container.h"

namespace capsule::cli {

// Calls `act` for each id that the POSIX extended regular expression finds something in, in their order, to
// the end. None is no failure: nothing was to be done. Containers that vanish meanwhile are passed over.
//   fails   unsupported: no regular expression; else the first failure of `act`, after the last container
Status for_each_matching(const container::Store& store,
                         const std::string& expression,
                         const std::function<Status(const std::string& id)>& act);

}  // namespace capsule::cli
