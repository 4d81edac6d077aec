// `linux.sysctl`: only parameters that belong to a namespace of the container's own. All others would change
// the host.
//
// Names are compared as sysctl(8) reads them: in "net/ipv4/conf/eth0.1/mtu" the first separator is '/', so
// '/' and '.' change places.
#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::array<std::string_view, 8> kIpcParameters = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
    "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

std::string with_dots(std::string name) {
  const std::size_t separator = name.find_first_of("./");
  if (separator == std::string::npos || name[separator] == '.') return name;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '/' ? '.' : c == '.' ? '/' : c;
  });
  return name;
}

// With dots as separators a '/' stands for a dot in the file's name, so "net.//.x" would be "net/../x" below
// /proc/sys.
bool leads_astray(std::string_view name) {
  if (name.empty() || name.ends_with('.')) return true;
  const std::vector<std::string_view> components = split(name, '.');
  return std::any_of(components.begin(), components.end(),
                     [](std::string_view part) { return part.empty() || part == "/" || part == "//"; });
}

bool has_namespace(const Spec& spec, NamespaceType type) {
  return find_namespace(*spec.linux, type) != nullptr;
}

// Empty: allowed. Otherwise why not.
std::string objection(const Spec& spec, const std::string& name) {
  const std::string shown = quoted(name);
  if (leads_astray(name)) return cat({"sysctl ", shown, " is not the name of a kernel parameter"});
  if (contains(kIpcParameters, name) || name.starts_with("fs.mqueue.")) {
    if (has_namespace(spec, NamespaceType::ipc)) return {};
    return cat({"sysctl ", shown, " is not allowed in the hosts ipc namespace"});
  }
  if (name.starts_with("net.")) {
    if (has_namespace(spec, NamespaceType::network)) return {};
    return cat({"sysctl ", shown, " not allowed in host network namespace"});
  }
  if (name.starts_with("user.")) {
    if (has_namespace(spec, NamespaceType::user)) return {};
    return cat({"setting ucounts without a user namespace not allowed: ", printable(name)});
  }
  if (name == "kernel.domainname" && has_namespace(spec, NamespaceType::uts)) {
    if (!spec.domainname.has_value()) return {};
    return cat({"sysctl ", shown, " is not allowed as it conflicts with the OCI \"domainname\" field"});
  }
  if (name == "kernel.hostname" && has_namespace(spec, NamespaceType::uts)) {
    return cat({"sysctl ", shown, " is not allowed as it conflicts with the OCI \"hostname\" field"});
  }
  return cat({"sysctl ", shown, " is not in a separate kernel namespace"});
}

}  // namespace

Status check_sysctls(const Spec& spec) {
  if (!spec.linux.has_value()) return {};
  for (const auto& [name, value] : spec.linux->sysctl) {
    const std::string why = objection(spec, with_dots(name));
    if (!why.empty()) return Error::invalid_config(pointer_to("/linux/sysctl", name), why);
  }
  return {};
}

}  // namespace capsule::spec
