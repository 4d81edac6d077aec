#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"

namespace capsule::cli {
namespace {

Result<std::string> describe_as_told(const Globals& globals, launch::LaunchOptions options) {
  options.cgroup_manager = globals.cgroup_manager;
  const container::Store store = TRY(open_store(globals));
  return launch::describe_launch(store, options);
}

}  // namespace

Result<int> plan(const Globals& globals, const Arguments& arguments) {
  const launch::LaunchOptions options = TRY(parse_plan(arguments));
  TRY(print(TRY(describe_as_told(globals, options).context("plan ", options.id))));
  return 0;
}

}  // namespace capsule::cli
