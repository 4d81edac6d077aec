#include "runtime/launch/plan_joins.h"

#include <sched.h>

#include <algorithm>

namespace capsule::launch {
namespace {

std::uint64_t flags_of_all_but_pid(const spec::Spec& frozen) {
  std::uint64_t flags = 0;
  if (!frozen.linux.has_value()) return flags;
  for (const spec::Namespace& ns : frozen.linux->namespaces) {
    if (ns.type != spec::NamespaceType::pid) flags |= ns::clone_flag_of(ns.type);
  }
  return flags;
}

}  // namespace

bool lists(const spec::Spec& frozen, spec::NamespaceType type) {
  if (!frozen.linux.has_value()) return false;
  const auto& all = frozen.linux->namespaces;
  return std::any_of(all.begin(), all.end(), [type](const spec::Namespace& ns) { return ns.type == type; });
}

// Only a child is ever inside a pid namespace that was joined. Root has the host side join it for the clone;
// anybody else may do so only from inside the user namespace it belongs to, and forks there.
Joins plan_joins(const spec::Spec& frozen, const Host& host, plan::Builder& builder) {
  const bool has_user = lists(frozen, spec::NamespaceType::user);
  const bool has_pid = lists(frozen, spec::NamespaceType::pid);
  Joins joins;
  joins.process_slot = builder.donate({.kind = plan::Donation::Kind::process});
  joins.forks = has_pid && has_user && !host.privileged;
  joins.pid_from_outside = has_pid && !joins.forks;

  plan::JoinNamespace join;
  join.slot = joins.process_slot;
  join.source = builder.text("of the container");
  join.flags = static_cast<std::uint32_t>(flags_of_all_but_pid(frozen));
  if (joins.forks) join.flags |= static_cast<std::uint32_t>(CLONE_NEWPID);
  if (join.flags != 0) builder.add("", join);
  if (has_user) builder.add("", plan::BecomeRoot{});
  if (joins.forks) builder.add("", plan::ForkInit{});
  return joins;
}

}  // namespace capsule::launch
