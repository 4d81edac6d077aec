// How a process that is not the container's first comes to be in the container's namespaces. Pure.
#pragma once

#include <cstdint>

#include "runtime/launch/plan_create.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"

namespace capsule::launch {

// Does the container list this type, new or by path?
bool lists(const spec::Spec& frozen, spec::NamespaceType type);

struct Joins {
  std::uint16_t process_slot = plan::kNoSlot;  // for the pidfd of the container's init
  bool pid_from_outside = false;               // the host side joins the pid namespace before the clone
  bool forks = false;                          // or the process does, and another goes on in its place
};

// The steps into all namespaces that the container lists.
Joins plan_joins(const spec::Spec& frozen, const Host& host, plan::Builder& builder);

}  // namespace capsule::launch
