// linux.memoryPolicy: names to mode, flags and node mask of set_mempolicy(2).
#include <array>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/process_steps.h"

namespace capsule::process {
namespace {

enum class Nodes : unsigned char { none, any, some };  // what a mode demands of its node list

struct Mode {
  std::uint64_t number;
  Nodes nodes;
};

constexpr auto kModes = std::to_array({
    // <linux/mempolicy.h>
    Named<Mode>{"MPOL_DEFAULT", {0, Nodes::none}},
    Named<Mode>{"MPOL_PREFERRED", {1, Nodes::any}},
    Named<Mode>{"MPOL_BIND", {2, Nodes::some}},
    Named<Mode>{"MPOL_INTERLEAVE", {3, Nodes::some}},
    Named<Mode>{"MPOL_LOCAL", {4, Nodes::none}},
    Named<Mode>{"MPOL_PREFERRED_MANY", {5, Nodes::some}},
    Named<Mode>{"MPOL_WEIGHTED_INTERLEAVE", {6, Nodes::some}},
});

constexpr auto kFlags = std::to_array({
    Named<std::uint64_t>{"MPOL_F_NUMA_BALANCING", 1U << 13U},
    Named<std::uint64_t>{"MPOL_F_RELATIVE_NODES", 1U << 14U},
    Named<std::uint64_t>{"MPOL_F_STATIC_NODES", 1U << 15U},
});

Result<std::uint64_t> parse_flags(const std::vector<std::string>& names, std::string_view field) {
  std::uint64_t flags = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Named<std::uint64_t>* flag = find_named(kFlags, names[i]);
    if (flag == nullptr) {
      return Error::invalid_config(cat({field, "/flags/", std::to_string(i)}),
                                   cat({"invalid memory policy flag ", quoted(names[i])}));
    }
    flags |= flag->value;
  }
  return flags;
}

Status check_nodes(const Named<Mode>& mode, bool has_nodes, std::string_view field) {
  if (mode.value.nodes == Nodes::none && has_nodes) {
    return Error::invalid_config(cat({field, "/nodes"}), cat({mode.name, " takes no nodes"}));
  }
  if (mode.value.nodes == Nodes::some && !has_nodes) {
    return Error::invalid_config(cat({field, "/nodes"}), cat({mode.name, " needs at least one node"}));
  }
  return {};
}

}  // namespace

Status plan_memory_policy(const spec::MemoryPolicy& policy, std::string_view field, plan::Builder& builder) {
  const Named<Mode>* mode = find_named(kModes, policy.mode);
  if (mode == nullptr) {
    return Error::invalid_config(cat({field, "/mode"}),
                                 cat({"invalid memory policy mode ", quoted(policy.mode)}));
  }
  const std::uint64_t flags = TRY(parse_flags(policy.flags, field));
  const std::vector<unsigned long> nodes = TRY(parse_bit_list(policy.nodes, cat({field, "/nodes"})));
  TRY(check_nodes(*mode, !nodes.empty(), field));

  plan::MemoryPolicy step;
  step.mode = mode->value.number | flags;
  if (!nodes.empty()) step.nodes = builder.blob(nodes.data(), nodes.size() * sizeof(unsigned long));
  builder.add(field, step);
  return {};
}

}  // namespace capsule::process
