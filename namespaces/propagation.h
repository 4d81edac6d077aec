// What /linux/rootfsPropagation means for each tree involved (config-linux.md#rootfs-mount-propagation,
// mount_namespaces(7)).
#pragma once

#include <cstdint>

#include "namespaces/plan.h"
#include "runtime/plan/plan.h"

namespace capsule::ns {

struct Propagation {            // MS_*
  std::uint64_t host_tree = 0;  // of the inherited tree, recursively, before anything else is done
  std::uint64_t rootfs = 0;     // of the clone of the rootfs until the pivot
  std::uint64_t binds = 0;      // of cloned sources, unless their own options say otherwise
  std::uint64_t root = 0;       // of "/" after the pivot; 0: stays as it is
  bool recursive = false;       // `root` concerns everything below as well
};
//   fails   invalid_config: unknown word
Result<Propagation> parse_propagation(const spec::Spec& spec);

plan::RootMode root_mode(const spec::Spec& spec, const HostFacts& host);

}  // namespace capsule::ns
