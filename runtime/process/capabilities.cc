// Capability names to bit masks (capabilities(7)).
//
// A name that means nothing here, or a capability that the kernel would refuse to grant, is left out with a
// warning: config.md#linux-process says that a container should not fail for it.
#include <linux/capability.h>

#include <array>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr auto kCapabilities = std::to_array({
    Named<unsigned>{"CAP_CHOWN", CAP_CHOWN},
    Named<unsigned>{"CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    Named<unsigned>{"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    Named<unsigned>{"CAP_FOWNER", CAP_FOWNER},
    Named<unsigned>{"CAP_FSETID", CAP_FSETID},
    Named<unsigned>{"CAP_KILL", CAP_KILL},
    Named<unsigned>{"CAP_SETGID", CAP_SETGID},
    Named<unsigned>{"CAP_SETUID", CAP_SETUID},
    Named<unsigned>{"CAP_SETPCAP", CAP_SETPCAP},
    Named<unsigned>{"CAP_LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE},
    Named<unsigned>{"CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
    Named<unsigned>{"CAP_NET_BROADCAST", CAP_NET_BROADCAST},
    Named<unsigned>{"CAP_NET_ADMIN", CAP_NET_ADMIN},
    Named<unsigned>{"CAP_NET_RAW", CAP_NET_RAW},
    Named<unsigned>{"CAP_IPC_LOCK", CAP_IPC_LOCK},
    Named<unsigned>{"CAP_IPC_OWNER", CAP_IPC_OWNER},
    Named<unsigned>{"CAP_SYS_MODULE", CAP_SYS_MODULE},
    Named<unsigned>{"CAP_SYS_RAWIO", CAP_SYS_RAWIO},
    Named<unsigned>{"CAP_SYS_CHROOT", CAP_SYS_CHROOT},
    Named<unsigned>{"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
    Named<unsigned>{"CAP_SYS_PACCT", CAP_SYS_PACCT},
    Named<unsigned>{"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
    Named<unsigned>{"CAP_SYS_BOOT", CAP_SYS_BOOT},
    Named<unsigned>{"CAP_SYS_NICE", CAP_SYS_NICE},
    Named<unsigned>{"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
    Named<unsigned>{"CAP_SYS_TIME", CAP_SYS_TIME},
    Named<unsigned>{"CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG},
    Named<unsigned>{"CAP_MKNOD", CAP_MKNOD},
    Named<unsigned>{"CAP_LEASE", CAP_LEASE},
    Named<unsigned>{"CAP_AUDIT_WRITE", CAP_AUDIT_WRITE},
    Named<unsigned>{"CAP_AUDIT_CONTROL", CAP_AUDIT_CONTROL},
    Named<unsigned>{"CAP_SETFCAP", CAP_SETFCAP},
    Named<unsigned>{"CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE},
    Named<unsigned>{"CAP_MAC_ADMIN", CAP_MAC_ADMIN},
    Named<unsigned>{"CAP_SYSLOG", CAP_SYSLOG},
    Named<unsigned>{"CAP_WAKE_ALARM", CAP_WAKE_ALARM},
    Named<unsigned>{"CAP_BLOCK_SUSPEND", CAP_BLOCK_SUSPEND},
    Named<unsigned>{"CAP_AUDIT_READ", CAP_AUDIT_READ},
    Named<unsigned>{"CAP_PERFMON", CAP_PERFMON},
    Named<unsigned>{"CAP_BPF", CAP_BPF},
    Named<unsigned>{"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE},
});
static_assert(kCapabilities.size() == 41);

std::uint64_t bit_of(unsigned capability) {
  return std::uint64_t{1} << capability;
}

std::uint64_t parse_set(std::string_view set,
                        const std::vector<std::string>& names,
                        std::vector<std::string>& warnings) {
  std::uint64_t bits = 0;
  for (const std::string& name : names) {
    const Named<unsigned>* known = find_named(kCapabilities, name);
    if (known != nullptr) {
      bits |= bit_of(known->value);
    } else {
      warnings.push_back(cat({"capabilities/", set, ": unknown capability ", quoted(name), " is ignored"}));
    }
  }
  return bits;
}

// `bits` without those outside `allowed`, each of which is a warning that ends in `why`.
std::uint64_t limit_set(std::string_view set,
                        std::uint64_t bits,
                        std::uint64_t allowed,
                        std::string_view why,
                        std::vector<std::string>& warnings) {
  for (const Named<unsigned>& capability : kCapabilities) {
    if ((bits & ~allowed & bit_of(capability.value)) == 0) continue;
    warnings.push_back(cat({"capabilities/", set, ": ", capability.name, " is ignored: ", why}));
  }
  return bits & allowed;
}

}  // namespace

CapabilitySets plan_capabilities(const std::optional<spec::Capabilities>& capabilities,
                                 std::vector<std::string>& warnings) {
  if (!capabilities.has_value()) return {};
  CapabilitySets sets;
  sets.bounding = parse_set("bounding", capabilities->bounding, warnings);
  sets.effective = parse_set("effective", capabilities->effective, warnings);
  sets.permitted = parse_set("permitted", capabilities->permitted, warnings);
  sets.inheritable = parse_set("inheritable", capabilities->inheritable, warnings);
  sets.ambient = parse_set("ambient", capabilities->ambient, warnings);

  // What capset(2) and PR_CAP_AMBIENT_RAISE demand; they would fail with EPERM.
  sets.effective = limit_set("effective", sets.effective, sets.permitted, "it is not in permitted", warnings);
  sets.inheritable =
      limit_set("inheritable", sets.inheritable, sets.bounding, "it is not in bounding", warnings);
  sets.ambient = limit_set("ambient", sets.ambient, sets.permitted & sets.inheritable,
                           "it is not in both permitted and inheritable", warnings);
  return sets;
}

std::vector<std::string> known_capabilities() {
  return names_of(kCapabilities);
}

}  // namespace capsule::process
