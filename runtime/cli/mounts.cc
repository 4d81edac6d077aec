#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {
namespace {

Status change_mounts(const Globals& globals, const MountsOptions& options) {
  const container::Store store = TRY(open_store(globals));
  return options.remove ? launch::remove_mounts(store, options.id, options.file)
                        : launch::add_mounts(store, options.id, options.file);
}

}  // namespace

Result<int> mounts(const Globals& globals, const Arguments& arguments) {
  const MountsOptions options = TRY(parse_mounts(arguments));
  TRY(change_mounts(globals, options).context("mounts ", options.remove ? "remove " : "add ", options.id));
  return 0;
}

}  // namespace capsule::cli
