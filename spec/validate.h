// Rules that need more than one field, or more than a type: a flat list of small checks, pure, in the order
// of the specification.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::spec {

// The first rule of the specification that `spec` breaks, or one that runc refuses too (duplicate namespaces
// and rlimits, sysctls outside their namespace, mounts with wrong options, mappings without a user namespace,
// …), with its JSON pointer.
//   fails   invalid_config
//   source  runtime-spec 1.3.0; what is checked beyond it is argued at each check
Status validate(const Spec& spec);

// The checks that concern `process` alone (cwd absolute, args not empty, env entries, rlimits, scheduler,
// ioPriority, …); `pointer` is where it lies in the document: "/process", or "" for a process file.
Status validate_process(const Process& process, std::string_view pointer);

// The checks that concern mounts, as if they were all there is in `/mounts`.
Status validate_mounts(const std::vector<Mount>& mounts);

// The checks that concern resources; `pointer` is where they lie: "/linux/resources", or "" for a file of
// `update`.
Status validate_resources(const LinuxResources& resources, std::string_view pointer);

// setuid(2) would say EINVAL of an id without a mapping, which tells nobody why. Nothing to check where the
// maps are not known.
Status check_ids_are_mapped(const User& user, const Linux& linux_part, std::string_view pointer);

}  // namespace capsule::spec
