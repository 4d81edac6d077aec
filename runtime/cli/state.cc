#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"
#include "spec/write.h"

namespace capsule::cli {
namespace {

using container::Container;

Result<std::string> describe_state(const Globals& globals, const std::string& id) {
  const container::Store store = TRY(open_store(globals));
  // Without the lock: buildah and BuildKit poll this every 100 ms while another command works on the
  // container.
  const Container found = TRY(Container::open(store, id, Container::Lock::none));
  return spec::write_state(found.state());
}

}  // namespace

Result<int> state(const Globals& globals, const Arguments& arguments) {
  const std::string id = TRY(parse_id(arguments));
  TRY(print(TRY(describe_state(globals, id).context("state ", id))));
  return 0;
}

}  // namespace capsule::cli
