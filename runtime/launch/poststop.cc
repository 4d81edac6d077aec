#include "runtime/launch/poststop.h"

#include "runtime/launch/hooks.h"
#include "runtime/launch/plan_create.h"
#include "spec/write.h"

namespace capsule::launch {

PoststopOnFailure::~PoststopOnFailure() {
  if (!hooks_.empty()) run_hooks_to_the_end({"poststop", &hooks_, state_, bundle_, interrupts_});
}

void PoststopOnFailure::owe(const Bundle& bundle, const std::string& id, FdRef interrupts) {
  hooks_ = bundle.spec.hooks.poststop;
  state_ = spec::write_hook_state(hook_state(bundle, id, 0, "stopped"));
  bundle_ = bundle.path;
  interrupts_ = interrupts;
}

}  // namespace capsule::launch
