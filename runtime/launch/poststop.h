// The poststop hooks of a container that was never to be.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/launch/bundle.h"
#include "spec/spec.h"

namespace capsule::launch {

// What a container that is not to be owes its poststop hooks: they run when everything else is undone, if
// hooks of it have run before (runtime.md#lifecycle: after a failing hook the lifecycle goes on at `delete`).
class PoststopOnFailure {
 public:
  PoststopOnFailure() = default;
  PoststopOnFailure(PoststopOnFailure&& other) noexcept { *this = std::move(other); }
  PoststopOnFailure& operator=(PoststopOnFailure&& other) noexcept {
    std::swap(hooks_, other.hooks_);
    std::swap(state_, other.state_);
    std::swap(bundle_, other.bundle_);
    std::swap(interrupts_, other.interrupts_);
    return *this;
  }
  ~PoststopOnFailure();
  void owe(const Bundle& bundle, const std::string& id, FdRef interrupts);
  void keep() noexcept { hooks_.clear(); }

 private:
  std::vector<spec::Hook> hooks_;
  std::string state_, bundle_;
  FdRef interrupts_{-1};
};

}  // namespace capsule::launch
