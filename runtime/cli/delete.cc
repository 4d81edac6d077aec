#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/matching.h"

namespace capsule::cli {

Result<int> remove(const Globals& globals, const Arguments& arguments) {
  const DeleteOptions options = TRY(parse_delete(arguments));
  const container::Store store = TRY(open_store(globals).context("delete ", options.id));
  const auto delete_one = [&](const std::string& id) {
    return launch::delete_container(store, id, options.force);
  };
  Status deleted = options.regex ? for_each_matching(store, options.id, delete_one) : delete_one(options.id);
  TRY(std::move(deleted).context("delete ", options.id));
  return 0;
}

}  // namespace capsule::cli
