// pause and resume: the same words, opposite verbs.
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"

namespace capsule::cli {
namespace {

using container::Container;

Result<int> apply_to_container(const Globals& globals,
                               const Arguments& arguments,
                               Status (*verb)(const Container&)) {
  const std::string id = TRY(parse_id(arguments));
  const container::Store store = TRY(open_store(globals).context(arguments.command, " ", id));
  const Container found =
      TRY(Container::open(store, id, Container::Lock::exclusive).context(arguments.command, " ", id));
  TRY(verb(found).context(arguments.command, " ", id));
  return 0;
}

}  // namespace

Result<int> pause(const Globals& globals, const Arguments& arguments) {
  return apply_to_container(globals, arguments, container::pause);
}

Result<int> resume(const Globals& globals, const Arguments& arguments) {
  return apply_to_container(globals, arguments, container::resume);
}

}  // namespace capsule::cli
