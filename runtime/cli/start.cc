#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {

Result<int> start(const Globals& globals, const Arguments& arguments) {
  const std::string id = TRY(parse_id(arguments));
  const container::Store store = TRY(open_store(globals).context("start ", id));
  TRY(launch::start_container(store, id).context("start ", id));
  return 0;
}

}  // namespace capsule::cli
