#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {

Result<int> remove(const Globals& globals, const Arguments& arguments) {
  const DeleteOptions options = TRY(parse_delete(arguments));
  const container::Store store = TRY(open_store(globals).context("delete ", options.id));
  TRY(launch::delete_container(store, options.id, options.force).context("delete ", options.id));
  return 0;
}

}  // namespace capsule::cli
