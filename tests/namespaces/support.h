// Specs to plan and plans to read, for the tests of this folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "namespaces/plan.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"

namespace capsule::ns::testing {

// A root and the namespaces of an ordinary container: pid, network, ipc, uts, mount.
spec::Spec ordinary_spec();
HostFacts ordinary_host();  // root, bundle /bundle, cgroup2 at /sys/fs/cgroup, the container in /machine/c1
HostFacts rootless_host();

void add_namespace(spec::Spec& spec, spec::NamespaceType type, const std::string& path = {});
void remove_namespace(spec::Spec& spec, spec::NamespaceType type);
void add_user_namespace(spec::Spec& spec);  // new, 0 100000 65536 for both kinds
spec::Mount mount_of(std::string destination,
                     std::string type,
                     std::string source,
                     std::vector<std::string> options);

using Planner = std::function<Status(const spec::Spec&, const HostFacts&, plan::Builder&)>;

// The steps as text, without the last newline; or "error: " and the message.
std::string planned(const Planner& planner, const spec::Spec& spec, const HostFacts& host);
// The same for a spec that has just this mount.
std::string planned_mount(const spec::Mount& mount, const HostFacts& host = ordinary_host());
std::string planned_mount(spec::Spec spec, const spec::Mount& mount, const HostFacts& host = ordinary_host());
// What was donated for it, beyond the two sockets.
std::vector<plan::Donation> donated_for(const Planner& planner,
                                        const spec::Spec& spec,
                                        const HostFacts& host);

// The image is checked as init would check it.
std::string describe(const plan::Builder& builder);

}  // namespace capsule::ns::testing
