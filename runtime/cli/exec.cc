#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"

namespace capsule::cli {
namespace {

// As runc: the exit code of the program is never mistaken for a failure to start it, unless the program
// itself chose 255.
constexpr int kCouldNotExec = 255;

Result<int> exec_as_told(const Globals& globals, const launch::ExecOptions& options) {
  const container::Store store = TRY(open_store(globals));
  return launch::exec_process(store, options);
}

}  // namespace

Result<int> exec(const Globals& globals, const Arguments& arguments) {
  const launch::ExecOptions options = TRY(parse_exec(arguments));
  const Result<int> code = exec_as_told(globals, options).context("exec ", options.id);
  if (code.has_value()) return code.value();
  report(code.error(), globals.log.format);
  return kCouldNotExec;
}

}  // namespace capsule::cli
