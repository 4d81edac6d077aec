#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {
namespace {

Status create_as_told(const Globals& globals, launch::LaunchOptions options) {
  options.cgroup_manager = globals.cgroup_manager;
  const container::Store store = TRY(open_store(globals));
  return launch::create_container(store, options);
}

}  // namespace

Result<int> create(const Globals& globals, const Arguments& arguments) {
  const launch::LaunchOptions options = TRY(parse_create(arguments));
  TRY(create_as_told(globals, options).context("create ", options.id));
  return 0;
}

}  // namespace capsule::cli
