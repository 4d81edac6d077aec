// Which namespaces are new, which are joined, and which of several processes does it
// (config-linux.md#namespaces, user_namespaces(7)).
#include <algorithm>
#include <array>

#include "namespaces/lexical.h"
#include "namespaces/plan.h"
#include "runtime/base/fixed_text.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"
#include "runtime/plan/protocol.h"

namespace capsule::ns {
namespace {

using spec::NamespaceType;

struct TypeFacts {
  NamespaceType type;
  std::uint64_t clone_flag;
  FixedText<7> name;       // in config.json
  FixedText<7> proc_name;  // in /proc/PID/ns
};
constexpr auto kTypes = std::to_array({
    TypeFacts{NamespaceType::pid, CLONE_NEWPID, "pid", "pid"},
    TypeFacts{NamespaceType::network, CLONE_NEWNET, "network", "net"},
    TypeFacts{NamespaceType::mount, CLONE_NEWNS, "mount", "mnt"},
    TypeFacts{NamespaceType::ipc, CLONE_NEWIPC, "ipc", "ipc"},
    TypeFacts{NamespaceType::uts, CLONE_NEWUTS, "uts", "uts"},
    TypeFacts{NamespaceType::user, CLONE_NEWUSER, "user", "user"},
    TypeFacts{NamespaceType::cgroup, CLONE_NEWCGROUP, "cgroup", "cgroup"},
    TypeFacts{NamespaceType::time, CLONE_NEWTIME, "time", "time"},
});

const TypeFacts& facts_of(NamespaceType type) {
  return *std::find_if(kTypes.begin(), kTypes.end() - 1,
                       [type](const TypeFacts& t) { return t.type == type; });
}

Status check_entry(const std::vector<spec::Namespace>& listed, std::size_t index) {
  const spec::Namespace& entry = listed[index];
  const std::string pointer = item_pointer("/linux/namespaces", index);
  const auto seen = listed.begin() + static_cast<std::ptrdiff_t>(index);
  const bool is_duplicate = std::any_of(
      listed.begin(), seen, [&](const spec::Namespace& earlier) { return earlier.type == entry.type; });
  if (is_duplicate) {
    return Error::invalid_config(pointer,
                                 cat({"malformed spec file: duplicated ns ", quoted(name_of(entry.type))}));
  }

  const std::string path = entry.path.value_or("");
  if (!path.empty() && !path.starts_with('/'))
    return Error::invalid_config(pointer + "/path", "must be absolute");
  if (contains_nul(path)) return Error::invalid_config(pointer + "/path", "path contains null byte");
  return {};
}

Status check_user_maps(const spec::Spec& spec) {
  const spec::Linux& section = linux_of(spec);
  const bool no_maps = section.uid_mappings.empty() && section.gid_mappings.empty();
  if (!has_namespace(spec, NamespaceType::user)) {
    if (no_maps) return {};
    return Error::invalid_config(
        section.uid_mappings.empty() ? "/linux/gidMappings" : "/linux/uidMappings",
        "user namespace mappings specified, but user namespace isn't enabled in the config");
  }
  if (!has_new_namespace(spec, NamespaceType::user)) return {};
  if (no_maps) {
    return Error::invalid_config(
        "/linux/uidMappings",
        "user namespaces enabled, but no namespace path to join nor mappings to apply specified");
  }
  if (section.uid_mappings.empty())
    return Error::invalid_config("/linux/uidMappings", "is needed beside gidMappings");
  if (section.gid_mappings.empty())
    return Error::invalid_config("/linux/gidMappings", "is needed beside uidMappings");
  return {};
}

Status check_time_offsets(const spec::Spec& spec) {
  const spec::Linux& section = linux_of(spec);
  if (section.time_offsets.empty()) return {};
  if (!has_namespace(spec, NamespaceType::time)) {
    return Error::invalid_config(
        "/linux/timeOffsets",
        "time namespace offsets specified, but time namespace isn't enabled in the config");
  }
  if (!has_new_namespace(spec, NamespaceType::time)) {
    return Error::invalid_config("/linux/timeOffsets",
                                 "time namespace enabled, but both namespace path and time offsets specified "
                                 "-- you may only provide one");
  }
  for (const auto& [clock, offset] : section.time_offsets) {
    if (clock == "monotonic" || clock == "boottime") continue;
    return Error::invalid_config(member_pointer("/linux/timeOffsets", clock),
                                 "must be monotonic or boottime");
  }
  return {};
}

bool joins_user(const NamespaceSet& set) {
  return set.has_user && !set.new_user;
}

// Sets what is known of each type by itself; `all_new` gathers the new ones that clone3 could make.
void note_entry(NamespaceSet& set, const spec::Namespace& entry, std::uint64_t& all_new) {
  const bool is_new = entry.path.value_or("").empty();
  switch (entry.type) {
    case NamespaceType::user:
      set.has_user = true;
      set.new_user = is_new;
      break;
    case NamespaceType::pid:
      set.has_pid = true;
      break;
    case NamespaceType::mount:
      set.has_mount = true;
      break;
    case NamespaceType::network:
      set.new_network = is_new;
      break;
    case NamespaceType::time:
      set.new_time = is_new;
      break;
    case NamespaceType::cgroup:
      if (is_new) set.unshare_flags |= CLONE_NEWCGROUP;
      break;
    case NamespaceType::ipc:
    case NamespaceType::uts:
      break;
  }
  const bool by_clone = entry.type != NamespaceType::time && entry.type != NamespaceType::cgroup;
  if (is_new && by_clone) all_new |= clone_flag_of(entry.type);
}

// To join a namespace one needs CAP_SYS_ADMIN over the user namespace that owns it. Root of the host has it
// over all of them until it enters one, so for it the user namespace comes last; anybody else has it over the
// user namespace joined alone, so there it comes first.
void order_joins(NamespaceSet& set, bool privileged) {
  const auto rank = [privileged](const NamespaceSet::Join& join) {
    if (join.type == NamespaceType::user) return privileged ? 4 : 0;
    if (join.type == NamespaceType::mount) return 3;  // last but for the user namespace: with it "/" changes
    return join.type == NamespaceType::pid ? 2 : 1;
  };
  std::stable_sort(
      set.joins.begin(), set.joins.end(),
      [&](const NamespaceSet::Join& a, const NamespaceSet::Join& b) { return rank(a) < rank(b); });
}

void collect_joins(NamespaceSet& set, const std::vector<spec::Namespace>& listed, bool privileged) {
  // setns to a pid namespace moves children only. The host side does it before the clone, if it may.
  const bool host_may_join_pid = privileged || !joins_user(set);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const std::string path = listed[i].path.value_or("");
    if (path.empty()) continue;
    if (listed[i].type == NamespaceType::pid && host_may_join_pid) {
      set.pid_path = path;
      continue;
    }
    set.joins.push_back(
        {listed[i].type, clone_flag_of(listed[i].type), path, item_pointer("/linux/namespaces", i)});
  }
  order_joins(set, privileged);
}

// Who makes the new ones. A new namespace belongs to the user namespace of whoever makes it, and a process in
// a new user namespace can no longer join what belongs to another: so joins come before a new user namespace,
// and new namespaces after a joined one.
void assign_new(NamespaceSet& set, std::uint64_t all_new) {
  if (joins_user(set)) {
    set.fork_flags = all_new & CLONE_NEWPID;
    set.unshare_flags |= all_new & ~std::uint64_t{CLONE_NEWPID};
  } else if (set.new_user && !set.joins.empty()) {
    set.fork_flags = all_new;
  } else {
    set.clone_flags = all_new;
  }
}

void add_join(const NamespaceSet::Join& join, plan::Builder& builder) {
  const std::uint16_t slot = builder.donate({.kind = plan::Donation::Kind::name_space,
                                             .source = join.path,
                                             .field = join.field,
                                             .clone_flag = join.clone_flag});
  builder.add(join.field, plan::JoinNamespace{.source = builder.text(join.path),
                                              .flags = static_cast<std::uint32_t>(join.clone_flag),
                                              .slot = slot});
  if (join.type == NamespaceType::user) builder.add(join.field, plan::BecomeRoot{});
}

void add_fork(const NamespaceSet& set, plan::Builder& builder) {
  builder.add("/linux/namespaces", plan::ForkInit{.flags = set.fork_flags});
  if ((set.fork_flags & CLONE_NEWUSER) == 0) return;
  builder.add("/linux/uidMappings",
              plan::Expect{.line = static_cast<std::uint64_t>(protocol::Line::maps_written)});
  builder.add("/linux/uidMappings", plan::BecomeRoot{});
}

std::string describe_time_offsets(const spec::Linux& section) {
  std::string lines;
  for (const auto& [clock, offset] : section.time_offsets) {
    lines.append(cat({clock, " ", std::to_string(offset.secs), " ", std::to_string(offset.nanosecs), "\n"}));
  }
  return lines;
}

}  // namespace

std::uint64_t clone_flag_of(NamespaceType type) {
  return facts_of(type).clone_flag;
}
std::string_view name_of(NamespaceType type) {
  return facts_of(type).name;
}
std::string_view proc_name_of(NamespaceType type) {
  return facts_of(type).proc_name;
}

bool NamespaceSet::forks() const {
  const bool joins_pid = std::any_of(joins.begin(), joins.end(),
                                     [](const Join& join) { return join.type == NamespaceType::pid; });
  return fork_flags != 0 || joins_pid;
}

std::uint64_t flags_made_ahead(const std::vector<spec::Namespace>& listed) {
  std::uint64_t flags = 0;
  for (const spec::Namespace& entry : listed) {
    const bool joined = !entry.path.value_or("").empty();
    const bool is_pid = entry.type == NamespaceType::pid;
    if (entry.type == NamespaceType::user || (is_pid && joined)) return 0;
    if (!joined) flags |= clone_flag_of(entry.type);
  }
  constexpr std::uint64_t kByUnshare = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
  constexpr std::uint64_t kWorthAThread = CLONE_NEWNET | CLONE_NEWNS;
  return (flags & kWorthAThread) != 0 ? flags & kByUnshare : 0;
}

Result<NamespaceSet> plan_namespaces(const spec::Spec& spec, bool privileged) {
  const std::vector<spec::Namespace>& listed = linux_of(spec).namespaces;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    TRY(check_entry(listed, i));
  }
  TRY(check_user_maps(spec));
  TRY(check_time_offsets(spec));

  NamespaceSet set;
  std::uint64_t all_new = 0;
  for (const spec::Namespace& entry : listed)
    note_entry(set, entry, all_new);
  collect_joins(set, listed, privileged);
  assign_new(set, all_new);
  return set;
}

void plan_namespace_steps(const NamespaceSet& set, const spec::Spec& spec, plan::Builder& builder) {
  for (const NamespaceSet::Join& join : set.joins)
    add_join(join, builder);
  if (set.forks()) add_fork(set, builder);
  if (set.new_time) {
    const std::string offsets = describe_time_offsets(linux_of(spec));
    builder.add(offsets.empty() ? "/linux/namespaces" : "/linux/timeOffsets",
                plan::NewTimeNamespace{.offsets = builder.text(offsets)});
  }
  if (set.unshare_flags != 0) builder.add("/linux/namespaces", plan::Unshare{.flags = set.unshare_flags});
}

void plan_loopback(const NamespaceSet& set, plan::Builder& builder) {
  if (set.new_network) builder.add("/linux/namespaces", plan::LoopbackUp{});
}

}  // namespace capsule::ns
