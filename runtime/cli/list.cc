#include <fcntl.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"
#include "runtime/cli/table.h"
#include "spec/write.h"

namespace capsule::cli {
namespace {

using container::Container;
using spec::ContainerState;

std::string read_passwd() {
  Result<std::string> passwd = read_file(FdRef::cwd(), "/etc/passwd");
  return passwd.has_value() ? std::move(passwd).value() : std::string();  // without it owners are numbers
}

// What is gone by the time we look was deleted meanwhile, and is no failure; what cannot be read must not
// hide the others.
Result<std::vector<ContainerState>> read_states(const Globals& globals) {
  const container::Store store = TRY(open_store(globals));
  const std::string passwd = read_passwd();
  std::vector<ContainerState> states;
  for (const std::string& id : TRY(store.ids())) {
    const Result<Container> found = Container::open(store, id, Container::Lock::none);
    if (found.has_value()) {
      states.push_back(found.value().state());
      states.back().owner = owner_name(passwd, found.value().record().owner_uid);
    } else if (found.error().kind() != ErrorKind::not_found) {
      log::warning(cat({"list: ", id, ": ", found.error().message()}));
    }
  }
  return states;
}

std::string describe_states(const std::vector<ContainerState>& states) {
  std::vector<std::vector<std::string>> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const ContainerState& state : states) {
    rows.push_back(
        {state.id, std::to_string(state.pid), state.status, state.bundle, state.created, state.owner});
  }
  return describe_table(rows);
}

std::string describe_ids(const std::vector<ContainerState>& states) {
  std::string text;
  for (const ContainerState& state : states)
    text.append(state.id).append("\n");
  return text;
}

std::string describe_list(const ListOptions& options, const std::vector<ContainerState>& states) {
  if (options.quiet) return describe_ids(states);
  if (options.format == OutputFormat::json) return spec::write_state_list(states);
  return describe_states(states);
}

}  // namespace

Result<int> list(const Globals& globals, const Arguments& arguments) {
  const ListOptions options = TRY(parse_list(arguments));
  const std::vector<ContainerState> states = TRY(read_states(globals).context("list"));
  TRY(print(describe_list(options, states)));
  return 0;
}

}  // namespace capsule::cli
