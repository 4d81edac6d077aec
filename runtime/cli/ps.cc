#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/host_ps.h"
#include "runtime/cli/output.h"
#include "spec/write.h"

namespace capsule::cli {
namespace {

using container::Container;

Result<std::string> describe_processes(const Globals& globals, const PsOptions& options) {
  const container::Store store = TRY(open_store(globals));
  const Container found = TRY(Container::open(store, options.id, Container::Lock::none));
  const std::vector<std::int64_t> pids = TRY(container::read_pids(found));
  if (options.format == OutputFormat::json) return spec::write_pids(pids);
  return select_rows(TRY(run_host_ps(options.ps_arguments)), pids);
}

}  // namespace

Result<int> ps(const Globals& globals, const Arguments& arguments) {
  const PsOptions options = TRY(parse_ps(arguments));
  TRY(print(TRY(describe_processes(globals, options).context("ps ", options.id))));
  return 0;
}

}  // namespace capsule::cli
