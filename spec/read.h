// Bytes in, structs out.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::spec {

// Reads config.json. Unknown members are ignored (config.md#extensibility); a member of a wrong type or range
// and a missing member that the specification demands are errors that carry the JSON pointer:
// "/linux/resources/memory/limit: must be an integer, not a string".
//   foresee  called with what /linux/namespaces lists once `json` is known to be JSON, and before anything
//   else in
//            it is read, for who can begin with that; with nothing if it lists none that can be read
//   fails    invalid_config
//   source   runtime-spec 1.3.0 config.md, config-linux.md
using Foresee = std::function<void(const std::vector<Namespace>&)>;
Result<Spec> read(std::string_view json, const Foresee& foresee = nullptr);

// Reads one `process` object, as `exec --process FILE` passes it. Pointers are relative to it: "/args/0: …".
Result<Process> read_process(std::string_view json);

// Reads an array of mounts, as `mounts add FILE` passes it. Pointers are those of config.json: "/mounts/0/…".
Result<std::vector<Mount>> read_mounts(std::string_view json);

// Reads one `linux.resources` object, as `update --resources FILE` passes it.
Result<LinuxResources> read_resources(std::string_view json);

}  // namespace capsule::spec
