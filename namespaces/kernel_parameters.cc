// Host name, domain name and sysctls: settings of namespaces that are files or single system calls.
#include <algorithm>

#include "namespaces/lexical.h"
#include "namespaces/plan.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// As sysctl(8): whichever of '.' and '/' comes first separates, and the other one is then a literal '.':
// "net.ipv4.conf.eth0/1.forwarding" and "net/ipv4/conf/eth0.1/forwarding" are the same file.
std::string sysctl_path(std::string_view name) {
  const std::size_t first = name.find_first_of("./");
  std::string path(name);
  if (first == std::string_view::npos || name[first] == '/') return path;
  for (char& c : path) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return path;
}

// Below /proc/sys, and nowhere else.
bool is_plain_path(const std::string& path) {
  return !contains_nul(path) && clean_path(path) == "/" + path;
}

Status plan_sysctl(const std::string& name, const std::string& value, plan::Builder& builder) {
  const std::string pointer = member_pointer("/linux/sysctl", name);
  const std::string path = sysctl_path(name);
  if (name.empty() || !is_plain_path(path)) {
    return Error::invalid_config(pointer,
                                 cat({"sysctl ", quoted(name), " does not name a kernel parameter"}));
  }
  if (contains_nul(value)) return Error::invalid_config(pointer, "value contains null byte");
  builder.add(pointer, plan::Sysctl{.path = builder.text(path), .value = builder.text(value)});
  return {};
}

}  // namespace

Status plan_kernel_parameters(const spec::Spec& spec, plan::Builder& builder) {
  if (spec.hostname.has_value() && !spec.hostname->empty()) {
    builder.add("/hostname", plan::Hostname{.name = builder.text(*spec.hostname)});
  }
  if (spec.domainname.has_value() && !spec.domainname->empty()) {
    builder.add("/domainname", plan::Domainname{.name = builder.text(*spec.domainname)});
  }
  for (const auto& [name, value] : linux_of(spec).sysctl) {
    TRY(plan_sysctl(name, value, builder));
  }
  return {};
}

}  // namespace capsule::ns
