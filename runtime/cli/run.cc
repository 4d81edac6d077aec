#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {
namespace {

Result<int> run_as_told(const Globals& globals, launch::LaunchOptions options) {
  options.cgroup_manager = globals.cgroup_manager;
  const container::Store store = TRY(open_store(globals));
  return launch::run_container(store, options);
}

}  // namespace

Result<int> run(const Globals& globals, const Arguments& arguments) {
  const launch::LaunchOptions options = TRY(parse_run(arguments));
  return run_as_told(globals, options).context("run ", options.id);
}

}  // namespace capsule::cli
