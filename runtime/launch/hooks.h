// Hooks that run in the runtime's own namespaces: prestart, createRuntime, poststart, poststop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "spec/spec.h"
#include "spec/write.h"

namespace capsule::launch {

struct HookRun {
  std::string_view kind;  // "createRuntime": as in config.json
  const std::vector<spec::Hook>* hooks;
  std::string state;     // JSON for their standard input
  std::string bundle;    // their working directory
  FdRef interrupts{-1};  // open_interrupts(): a signal there ends the hook that runs, and is its failure
};

// One after another; stops at the first that fails.
//   fails   hook: "error running createRuntime hook #0 (/bin/x): exit status 1, output: …"
Status run_hooks(const HookRun& run);

// All of them; a failure is a warning in the log (poststop: runtime.md#lifecycle).
void run_hooks_to_the_end(const HookRun& run);

}  // namespace capsule::launch
