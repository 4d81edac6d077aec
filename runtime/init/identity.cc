// Becoming the container's user, with its rights and limits and no others.
#include "runtime/init/context.h"

namespace capsule::init {
namespace {

constexpr unsigned kCapabilityVersion = 0x20080522;  // _LINUX_CAPABILITY_VERSION_3
constexpr unsigned kMaxCapability = 63;

struct CapabilityState {
  __user_cap_header_struct header{kCapabilityVersion, 0};
  __user_cap_data_struct words[2]{};
};

uint64_t joined(unsigned low, unsigned high) {
  return low | (static_cast<uint64_t>(high) << 32U);
}

uint64_t permitted_now() {
  CapabilityState state;
  if (raw::capget(&state.header, state.words) < 0) return ~uint64_t{0};
  return joined(state.words[0].permitted, state.words[1].permitted);
}

bool drop_bounding(Context& ctx, uint64_t keep) {
  for (unsigned capability = 0; capability <= kMaxCapability; ++capability) {
    if (((keep >> capability) & 1U) != 0) continue;
    const long dropped = raw::prctl(PR_CAPBSET_DROP, capability);
    if (dropped == -raw::kEINVAL) return true;  // past the last one this kernel knows
    if (dropped < 0) return fail(ctx, "prctl PR_CAPBSET_DROP", dropped, "capabilities");
  }
  return true;
}

bool set_ids(Context& ctx, const plan::Confine& s) {
  if (s.set_groups != 0) {
    const auto* groups = static_cast<const uint32_t*>(ctx.plan.bytes(s.groups));
    const long set = raw::setgroups(s.groups.size / sizeof(uint32_t), groups);
    if (set == -raw::kEINVAL) return fail_with(ctx, Problem::unmapped_id, "setgroups", set, "additionalGids");
    if (set < 0) return fail(ctx, "setgroups", set, "additionalGids");
  }
  long set = raw::setresgid(s.gid, s.gid, s.gid);
  if (set < 0)
    return fail_with(ctx, set == -raw::kEINVAL ? Problem::unmapped_id : Problem::system_call, "setresgid",
                     set, "gid");
  set = raw::setresuid(s.uid, s.uid, s.uid);
  if (set < 0)
    return fail_with(ctx, set == -raw::kEINVAL ? Problem::unmapped_id : Problem::system_call, "setresuid",
                     set, "uid");
  return true;
}

// A capability that the runtime itself does not have cannot be granted; the specification asks for a warning,
// not for a refusal.
bool set_capabilities(Context& ctx, const plan::Confine& s, uint64_t available) {
  const uint64_t permitted = s.permitted & available;
  const uint64_t effective = s.effective & permitted;
  const uint64_t inheritable = s.inheritable & available & s.bounding;
  CapabilityState state;
  for (unsigned word = 0; word < 2; ++word) {
    state.words[word].permitted = static_cast<unsigned>(permitted >> (32U * word));
    state.words[word].effective = static_cast<unsigned>(effective >> (32U * word));
    state.words[word].inheritable = static_cast<unsigned>(inheritable >> (32U * word));
  }
  const long set = raw::capset(&state.header, state.words);
  if (set < 0) return fail(ctx, "capset", set, "capabilities");

  raw::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
  const uint64_t ambient = s.ambient & permitted & inheritable;
  for (unsigned capability = 0; capability <= kMaxCapability; ++capability) {
    if (((ambient >> capability) & 1U) == 0) continue;
    const long raised = raw::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
    if (raised < 0) return fail(ctx, "prctl PR_CAP_AMBIENT_RAISE", raised, "ambient");
  }
  return true;
}

}  // namespace

bool perform(Context& ctx, const plan::Confine& s) {
  // No descriptor of a host directory comes along (R3): an exec has no Pivot that would have closed it.
  if (ctx.host_proc >= 0) raw::close(ctx.host_proc);
  ctx.host_proc = -1;
  const uint64_t available = permitted_now();
  if (!drop_bounding(ctx, s.bounding)) return false;  // first: needs CAP_SETPCAP
  if (s.uid != 0)
    raw::prctl(PR_SET_KEEPCAPS, 1);  // or setresuid would clear what capset is to set; execve clears it
  if (!set_ids(ctx, s)) return false;
  if (!set_capabilities(ctx, s, available)) return false;
  raw::umask(s.umask);
  return true;
}

bool perform(Context& ctx, const plan::NoNewPrivileges&) {
  const long set = raw::prctl(PR_SET_NO_NEW_PRIVS, 1);
  return set < 0 ? fail(ctx, "prctl PR_SET_NO_NEW_PRIVS", set, "") : true;
}

bool perform(Context& ctx, const plan::Personality& s) {
  const long set = raw::call(__NR_personality, s.persona);
  return set < 0 ? fail(ctx, "personality", set, "") : true;
}

bool perform(Context& ctx, const plan::Scheduler& s) {
  const long set = raw::call(__NR_sched_setattr, 0, ctx.plan.bytes(s.attr), 0);
  return set < 0 ? fail(ctx, "sched_setattr", set, "") : true;
}

bool perform(Context& ctx, const plan::IoPriority& s) {
  const long set = raw::call(__NR_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, s.value);
  return set < 0 ? fail(ctx, "ioprio_set", set, "") : true;
}

bool perform(Context& ctx, const plan::MemoryPolicy& s) {
  const void* nodes = s.nodes.size == 0 ? nullptr : ctx.plan.bytes(s.nodes);
  const unsigned long bits =
      s.nodes.size == 0
          ? 0
          : s.nodes.size * 8UL + 1;  // maxnode counts one past the last (set_mempolicy(2), BUGS)
  const long set = raw::call(__NR_set_mempolicy, s.mode, nodes, bits);
  return set < 0 ? fail(ctx, "set_mempolicy", set, "") : true;
}

bool perform(Context& ctx, const plan::CpuAffinity& s) {
  if (s.cpus.size == 0) {
    uint8_t all[1024];  // 8192 processors
    for (uint8_t& eight : all)
      eight = 0xff;
    raw::call(__NR_sched_setaffinity, 0, sizeof(all), all);
    return true;
  }
  const long set = raw::call(__NR_sched_setaffinity, 0, s.cpus.size, ctx.plan.bytes(s.cpus));
  return set < 0 ? fail(ctx, "sched_setaffinity", set, "") : true;
}

bool perform(Context& ctx, const plan::ResourceLimit& s) {
  const uint64_t limits[2] = {s.soft, s.hard};
  const long set = raw::call(__NR_prlimit64, 0, s.resource, limits, nullptr);
  return set < 0 ? fail(ctx, "prlimit", set, "") : true;
}

}  // namespace capsule::init
