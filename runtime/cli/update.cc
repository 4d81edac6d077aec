#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "spec/read.h"

namespace capsule::cli {
namespace {

using container::Container;

// A file stands for itself: the other options are not looked at.
Result<container::Change> read_change(const std::string& file) {
  const Result<std::string> json =
      file == "-" ? read_fd(FdRef(STDIN_FILENO), "standard input") : read_file(FdRef::cwd(), file.c_str());
  if (!json.has_value()) return Error::unsupported(json.error().message()).with({"resources file"});
  container::Change change;
  change.resources = TRY(spec::read_resources(json.value()).context("resources file"));
  return change;
}

void warn_of_ignored(const UpdateOptions& options) {
  for (const std::string& option : options.ignored)
    log::warning(cat({option, " is ignored: cgroup v2 counts kernel memory as memory"}));
  const auto& cpu = options.change.resources.cpu;
  if (cpu.has_value() && (cpu->realtime_period || cpu->realtime_runtime)) {
    log::warning("--cpu-rt-period and --cpu-rt-runtime have no effect: cgroup v2 has no such limits");
  }
}

Status update_container(const Globals& globals, const UpdateOptions& options) {
  const container::Store store = TRY(open_store(globals));
  container::Change change = options.change;
  if (options.file.has_value()) {
    change = TRY(read_change(*options.file));
  } else {
    warn_of_ignored(options);
  }
  return container::update(TRY(Container::open(store, options.id, Container::Lock::exclusive)), change);
}

}  // namespace

Result<int> update(const Globals& globals, const Arguments& arguments) {
  const UpdateOptions options = TRY(parse_update(arguments));
  TRY(update_container(globals, options).context("update ", options.id));
  return 0;
}

}  // namespace capsule::cli
