// A bundle and a host made by hand, and a look into the plans made of them.
#pragma once

#include <string>
#include <vector>

#include "runtime/launch/plan_create.h"
#include "runtime/plan/describe.h"
#include "runtime/plan/view.h"

namespace capsule::test {

inline launch::Bundle ordinary_bundle() {
  launch::Bundle bundle{.path = "/bundle", .rootfs = "/bundle/rootfs"};
  spec::Spec& spec = bundle.spec;
  spec.oci_version = "1.3.0";
  spec.root = spec::Root{.path = "rootfs"};
  spec.process.emplace();
  spec.process->cwd = "/";
  spec.process->args = {"sh"};
  spec.process->env = {"PATH=/bin"};
  spec.linux.emplace();
  spec.linux->namespaces = {{.type = spec::NamespaceType::pid}, {.type = spec::NamespaceType::mount}};
  return bundle;
}

inline launch::Host ordinary_host() {
  launch::Host host;
  host.cgroups.mount = "/sys/fs/cgroup";
  host.cgroups.own_path = "/test.slice/leaf";
  return host;
}

inline launch::Host unprivileged_host() {
  launch::Host host = ordinary_host();
  host.privileged = false;
  host.euid = host.egid = 1000;
  return host;
}

// The lines of a plan's description.
inline std::vector<std::string> lines_of(const plan::Builder& builder) {
  const std::string image = builder.finish();
  const plan::View view = plan::View::verify(image.data(), image.size());
  std::vector<std::string> lines;
  for (const plan::StepHeader* step = view.first(); step != nullptr; step = view.next(step))
    lines.push_back(plan::describe_step(view, step));
  return lines;
}

// The first line that begins with `begin`, or "".
inline std::string line_of(const plan::Builder& builder, std::string_view begin) {
  for (const std::string& line : lines_of(builder)) {
    if (line.starts_with(begin)) return line;
  }
  return {};
}

}  // namespace capsule::test
