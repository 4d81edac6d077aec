#include "tests/namespaces/support.h"

#include <algorithm>

#include "runtime/plan/describe.h"

namespace capsule::ns::testing {

spec::Spec ordinary_spec() {
  spec::Spec spec;
  spec.oci_version = "1.3.0";
  spec.root = spec::Root{.path = "rootfs"};
  spec.linux.emplace();
  for (const auto type : {spec::NamespaceType::pid, spec::NamespaceType::network, spec::NamespaceType::ipc,
                          spec::NamespaceType::uts, spec::NamespaceType::mount}) {
    add_namespace(spec, type);
  }
  return spec;
}

HostFacts ordinary_host() {
  HostFacts host;
  host.bundle = "/bundle";
  host.cgroup_mount = "/sys/fs/cgroup";
  host.cgroup_path = "/machine/c1";
  return host;
}

HostFacts rootless_host() {
  HostFacts host = ordinary_host();
  host.privileged = false;
  host.euid = host.egid = 1000;
  return host;
}

void add_namespace(spec::Spec& spec, spec::NamespaceType type, const std::string& path) {
  spec::Namespace entry{.type = type};
  if (!path.empty()) entry.path = path;
  spec.linux->namespaces.push_back(entry);
}

void remove_namespace(spec::Spec& spec, spec::NamespaceType type) {
  std::vector<spec::Namespace>& listed = spec.linux->namespaces;
  const auto is_type = [type](const spec::Namespace& entry) { return entry.type == type; };
  listed.erase(std::remove_if(listed.begin(), listed.end(), is_type), listed.end());
}

void add_user_namespace(spec::Spec& spec) {
  add_namespace(spec, spec::NamespaceType::user);
  spec.linux->uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 65536}};
  spec.linux->gid_mappings = spec.linux->uid_mappings;
}

spec::Mount mount_of(std::string destination,
                     std::string type,
                     std::string source,
                     std::vector<std::string> options) {
  spec::Mount mount;
  mount.destination = std::move(destination);
  if (!type.empty()) mount.type = std::move(type);
  if (!source.empty()) mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

std::string describe(const plan::Builder& builder) {
  const std::string image = builder.finish();
  const plan::View view = plan::View::verify(image.data(), image.size());
  if (!view.ok()) return "error: the image does not verify";
  std::string text = plan::describe(view);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string planned(const Planner& planner, const spec::Spec& spec, const HostFacts& host) {
  plan::Builder builder;
  const Status status = planner(spec, host, builder);
  return status.has_value() ? describe(builder) : "error: " + status.error().message();
}

std::string planned_mount(const spec::Mount& mount, const HostFacts& host) {
  return planned_mount(ordinary_spec(), mount, host);
}

std::string planned_mount(spec::Spec spec, const spec::Mount& mount, const HostFacts& host) {
  spec.mounts = {mount};
  return planned(plan_mounts, spec, host);
}

std::vector<plan::Donation> donated_for(const Planner& planner,
                                        const spec::Spec& spec,
                                        const HostFacts& host) {
  plan::Builder builder;
  if (!planner(spec, host, builder).has_value()) return {};
  return {builder.donations().begin() + plan::kFirstFreeSlot, builder.donations().end()};
}

}  // namespace capsule::ns::testing
