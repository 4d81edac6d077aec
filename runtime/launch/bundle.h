// What the user handed over: the bundle directory and its config.json, read and checked.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/launch/launch.h"
#include "spec/read.h"
#include "spec/spec.h"

namespace capsule::launch {

struct Bundle {
  std::string path;    // absolute
  std::string rootfs;  // absolute
  std::string config;  // the bytes read, kept as they are: later changes to the file must have no effect
                       // (runtime.md#lifecycle)
  spec::Spec spec;
};

//   foresee  as of spec::read; whatever comes of it, the bundle may still be refused
//   fails    what spec::read and spec::validate say, with the field
Result<Bundle> load_bundle(const LaunchOptions& options, const spec::Foresee& foresee = nullptr);

}  // namespace capsule::launch
