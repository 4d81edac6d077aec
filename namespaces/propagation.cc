#include "namespaces/propagation.h"

#include <algorithm>
#include <array>

#include "namespaces/lexical.h"
#include "runtime/base/fixed_text.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

struct Word {
  FixedText<11> name;
  Propagation meaning;
};

// The rootfs is never shared before the pivot: pivot_root(2) refuses a root whose mount events would
// propagate. Binds keep their peer group where the root will be shared, so that a volume mounted "rshared"
// reaches the host again.
constexpr auto kWords = std::to_array({
    Word{"", {MS_SLAVE, MS_SLAVE, MS_SLAVE, 0, false}},
    Word{"slave", {MS_SLAVE, MS_SLAVE, MS_SLAVE, 0, false}},
    Word{"rslave", {MS_SLAVE, MS_SLAVE, MS_SLAVE, 0, false}},
    Word{"private", {MS_PRIVATE, MS_PRIVATE, MS_PRIVATE, 0, false}},
    Word{"rprivate", {MS_PRIVATE, MS_PRIVATE, MS_PRIVATE, 0, false}},
    Word{"shared", {MS_SLAVE, MS_PRIVATE, MS_SHARED, MS_SHARED, false}},
    Word{"rshared", {MS_SLAVE, MS_PRIVATE, MS_SHARED, MS_SHARED, true}},
    Word{"unbindable", {MS_SLAVE, MS_SLAVE, MS_SLAVE, MS_UNBINDABLE, false}},
    Word{"runbindable", {MS_SLAVE, MS_SLAVE, MS_SLAVE, MS_UNBINDABLE, true}},
});

}  // namespace

Result<Propagation> parse_propagation(const spec::Spec& spec) {
  const std::string name = linux_of(spec).rootfs_propagation.value_or("");
  const auto* word =
      std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return w.name == name; });
  if (word == kWords.end()) {
    return Error::invalid_config("/linux/rootfsPropagation",
                                 cat({"rootfsPropagation=", name, " is not supported"}));
  }
  return word->meaning;
}

plan::RootMode root_mode(const spec::Spec& spec, const HostFacts& host) {
  // A mount namespace joined by path belongs to somebody else: a pivot would exchange the root of every
  // process in it (R26).
  if (!has_new_namespace(spec, spec::NamespaceType::mount)) return plan::RootMode::plain;
  return host.no_pivot ? plan::RootMode::chroot : plan::RootMode::pivot;
}

}  // namespace capsule::ns
