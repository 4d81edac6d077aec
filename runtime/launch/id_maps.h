// The maps of a user namespace: written to one that is new, compared with those of one that is joined.
#pragma once

#include <sys/types.h>

#include "runtime/base/result.h"
#include "runtime/launch/plan_create.h"
#include "spec/spec.h"

namespace capsule::launch {

// Writes the plan's maps for `pid`, a child in a new user namespace that waits for them. What the kernel does
// not let us write is left to newuidmap and newgidmap.
//   fails   with /linux/uidMappings or /linux/gidMappings as context
Status write_id_maps(const CreatePlan& plan, pid_t pid);

// A new user namespace without maps, asked for by an ordinary user: adds the one container root → user, and
// the ranges that /etc/subuid and /etc/subgid give this user, if there are helpers to write them. Nothing for
// root, for whom spec::validate has a sentence.
Status add_automatic_maps(spec::Spec& spec);

// Maps beside the path of a user namespace must be those of the namespace.
//   fails   invalid_config, in runc's words
Status check_joined_maps(const spec::Spec& spec);

}  // namespace capsule::launch
