#include "runtime/cli/commands.h"

#include <algorithm>
#include <array>

#include "runtime/base/fixed_text.h"
#include "runtime/cli/values.h"

namespace capsule::cli {
namespace {

struct Named {
  FixedText<10> name;
  Run run;
};

constexpr auto kRuns = std::to_array({
    Named{"create", create},
    Named{"start", start},
    Named{"run", run},
    Named{"state", state},
    Named{"kill", kill},
    Named{"delete", remove},
    Named{"list", list},
    Named{"exec", exec},
    Named{"ps", ps},
    Named{"events", events},
    Named{"mounts", mounts},
    Named{"pause", pause},
    Named{"resume", resume},
    Named{"update", update},
    Named{"spec", spec},
    Named{"plan", plan},
    Named{"features", features},
});

}  // namespace

Run find_run(std::string_view command) {
  const auto* found = std::find_if(kRuns.begin(), kRuns.end(),
                                   [command](const Named& entry) { return entry.name == command; });
  return found == kRuns.end() ? nullptr : found->run;
}

Result<container::Store> open_store(const Globals& globals) {
  container::Store store = TRY(container::Store::open(globals.root));
  TRY(parse_root(store.root()));  // a second time, now that it is absolute: `--root .` in "/"
  return store;
}

}  // namespace capsule::cli
