#include "runtime/cli/commands.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cli/values.h"

namespace capsule::cli {
namespace {

constexpr std::array kRuns = {
    std::pair<std::string_view, Run>{"create", create},
    std::pair<std::string_view, Run>{"start", start},
    std::pair<std::string_view, Run>{"run", run},
    std::pair<std::string_view, Run>{"state", state},
    std::pair<std::string_view, Run>{"kill", kill},
    std::pair<std::string_view, Run>{"delete", remove},
    std::pair<std::string_view, Run>{"list", list},
    std::pair<std::string_view, Run>{"exec", exec},
    std::pair<std::string_view, Run>{"ps", ps},
    std::pair<std::string_view, Run>{"events", events},
    std::pair<std::string_view, Run>{"mounts", mounts},
    std::pair<std::string_view, Run>{"pause", pause},
    std::pair<std::string_view, Run>{"resume", resume},
    std::pair<std::string_view, Run>{"update", update},
    std::pair<std::string_view, Run>{"spec", spec},
    std::pair<std::string_view, Run>{"plan", plan},
    std::pair<std::string_view, Run>{"features", features},
};

}  // namespace

Run find_run(std::string_view command) {
  const auto* found = std::find_if(kRuns.begin(), kRuns.end(),
                                   [command](const auto& entry) { return entry.first == command; });
  return found == kRuns.end() ? nullptr : found->second;
}

Result<container::Store> open_store(const Globals& globals) {
  container::Store store = TRY(container::Store::open(globals.root));
  TRY(parse_root(store.root()));  // a second time, now that it is absolute: `--root .` in "/"
  return store;
}

}  // namespace capsule::cli
