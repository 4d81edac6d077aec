#include "runtime/container/events.h"

#include <unistd.h>

#include <csignal>

#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {
namespace {

using container::Container;

Status tell(const Globals& globals, const EventsOptions& options) {
  const container::Store store = TRY(open_store(globals));
  const Container found = TRY(Container::open(store, options.id, Container::Lock::none));
  const FdRef out(STDOUT_FILENO);
  return options.stats_only ? container::print_stats(found, out)
                            : container::watch(found, options.interval, out);
}

}  // namespace

Result<int> events(const Globals& globals, const Arguments& arguments) {
  const EventsOptions options = TRY(parse_events(arguments));
  (void)std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is no failure
  TRY(tell(globals, options).context("events ", options.id));
  return 0;
}

}  // namespace capsule::cli
