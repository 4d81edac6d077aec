// AppArmor profiles and SELinux labels: what this host can do about them, and the steps that apply them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/plan/builder.h"
#include "spec/spec.h"

namespace capsule::process {

// The security modules of the host that matter here. Looked up only where a label is asked for.
struct SecurityModules {
  bool apparmor = false;
  bool confined = false;                             // by an AppArmor profile: we, and with us what we start
  std::string apparmor_file = "attr/apparmor/exec";  // before Linux 5.8 the modules shared "attr/exec"
  bool selinux = false;
};

// What a launch wants to have labelled.
struct LabelsAsked {
  bool apparmor = false;
  bool selinux = false;
};
LabelsAsked labels_asked(const spec::Process* process, const spec::Linux* linux);

//   root   of the host, below which /proc and /sys are looked at: "/" but in tests
Result<SecurityModules> probe_security_modules(const LabelsAsked& asked, FdRef root);
Result<SecurityModules> probe_security_modules(const LabelsAsked& asked);

// Where the labels lie in the document, as ProcessContext's.
struct LabelContext {
  const SecurityModules* modules = nullptr;
  std::string_view pointer = "/process";
};

// The label of the keyrings that the process makes. Before SessionKeyring; execve(2) forgets it.
Status plan_key_label(const spec::Process& process, const LabelContext& context, plan::Builder& builder);

// What the process becomes at its execve. Behind the hooks that run inside before the gate, which are not the
// container's program; before Pivot, which gives up the host's procfs.
//   fails   unsupported, if the host has no such security module in force: better no container than an
//           unconfined one. "unconfined" is what everybody is without AppArmor, so it is not refused.
Status plan_exec_labels(const spec::Process& process, const LabelContext& context, plan::Builder& builder);

// linux.mountLabel needs the module too; the mounts themselves are planned in namespaces/.
Status check_mount_label(const std::optional<std::string>& label, const SecurityModules& modules);

}  // namespace capsule::process
