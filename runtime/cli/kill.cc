#include <optional>

#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/matching.h"
#include "runtime/process/plan.h"

namespace capsule::cli {
namespace {

using container::Container;

Status kill_as_told(const Globals& globals, const KillOptions& options) {
  const std::optional<int> signal = process::parse_signal(options.signal);
  if (!signal) return Error::unsupported(cat({"unknown signal ", quoted(options.signal)}));
  const container::Store store = TRY(open_store(globals));
  const auto kill_one = [&](const std::string& id) -> Status {
    // Without the lock: a container whose start hangs must still be killable.
    const Container found = TRY(Container::open(store, id, Container::Lock::none));
    return container::kill(found, {.signal = *signal, .all = options.all});
  };
  return options.regex ? for_each_matching(store, options.id, kill_one) : kill_one(options.id);
}

}  // namespace

Result<int> kill(const Globals& globals, const Arguments& arguments) {
  const KillOptions options = TRY(parse_kill(arguments));
  TRY(kill_as_told(globals, options).context("kill ", options.id));
  return 0;
}

}  // namespace capsule::cli
