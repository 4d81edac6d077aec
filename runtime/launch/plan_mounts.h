// From a container that lives and the mounts that are to come or go to the plan of the process that enters it
// for that. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/launch/plan_create.h"
#include "runtime/launch/plan_joins.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"
#include "spec/write.h"

namespace capsule::launch {

struct MountsPlan {
  plan::Builder builder;
  Joins joins;
  std::size_t lines = 0;  // how often it says `mounted` before `ready`
};

// `frozen` is the container's config with the mounts in question in place of its own.
//   fails   wrong_state: it has no mount namespace; as the mounts of a create do
Result<MountsPlan> plan_add_mounts(const spec::Spec& frozen, const spec::Record& record, const Host& host);
Result<MountsPlan> plan_remove_mounts(const spec::Spec& frozen, const spec::Record& record, const Host& host);

// What is to be taken off again of `mounts`, of which the first attached.size() came to be.
//   attached   how many mounts there were after each: a remount, or a link that is copied, adds none, and
//   what is mounted at its place is not ours to take off
std::vector<spec::Mount> plan_undo(const std::vector<spec::Mount>& mounts,
                                   const std::vector<std::int32_t>& attached);

}  // namespace capsule::launch
