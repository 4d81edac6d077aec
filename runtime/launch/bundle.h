// What the user handed over: the bundle directory and its config.json, read and checked.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/launch/launch.h"
#include "spec/spec.h"

namespace capsule::launch {

struct Bundle {
  std::string path;    // absolute
  std::string rootfs;  // absolute
  std::string config;  // the bytes read, kept as they are: later changes to the file must have no effect
                       // (runtime.md#lifecycle)
  spec::Spec spec;
};

//   fails   what spec::read and spec::validate say, with the field
Result<Bundle> load_bundle(const LaunchOptions& options);

}  // namespace capsule::launch
