#include "spec/validate.h"

#include <array>

#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr std::size_t kLongestUtsName = 64;  // __NEW_UTS_LEN of <linux/utsname.h>

// Within a major version the specification stays compatible, so a newer minor one is not refused
// (config.md#specification-version).
Status check_oci_version(const Spec& spec) {
  const std::string_view version = spec.oci_version;
  const bool is_one =
      version.size() > 2 && version.starts_with("1.") && version[2] >= '0' && version[2] <= '9';
  if (is_one) return {};
  return Error::invalid_config("/ociVersion",
                               cat({"must be a version 1.x of the specification, not ", quoted(version)}));
}

Status check_root(const Spec& spec) {
  if (!spec.root.has_value()) return Error::invalid_config("/root", "root must be specified");
  if (spec.root->path.empty()) return Error::invalid_config("/root/path", "must not be empty");
  return {};
}

// A relative destination is deprecated, but legal: it counts from "/" (config.md#mounts).
Status check_mount(const Mount& mount, const std::string& pointer) {
  if (mount.destination.empty()) return Error::invalid_config(pointer + "/destination", "must not be empty");
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    return Error::invalid_config(pointer, "id-mapped mounts must have both uid and gid mappings specified");
  }
  TRY(check_mapping_sizes(mount.uid_mappings, pointer + "/uidMappings"));
  return check_mapping_sizes(mount.gid_mappings, pointer + "/gidMappings");
}

Status check_mounts(const Spec& spec) {
  return validate_mounts(spec.mounts);
}

Status check_process(const Spec& spec) {
  if (!spec.process.has_value()) return {};  // legal for `create`; `start` will refuse (runtime.md#start)
  return validate_process(*spec.process, "/process");
}

Status check_uts_name(const Spec& spec, const std::optional<std::string>& name, std::string_view member) {
  if (!name.has_value()) return {};
  const std::string pointer = cat({"/", member});
  if (!spec.linux.has_value() || find_namespace(*spec.linux, NamespaceType::uts) == nullptr) {
    return Error::invalid_config(pointer,
                                 cat({"unable to set ", member, " without a private UTS namespace"}));
  }
  if (name->size() > kLongestUtsName)
    return Error::invalid_config(pointer, "must not be longer than 64 bytes");
  return {};
}

Status check_hostname(const Spec& spec) {
  return check_uts_name(spec, spec.hostname, "hostname");
}
Status check_domainname(const Spec& spec) {
  return check_uts_name(spec, spec.domainname, "domainname");
}

Status check_hook_list(const std::vector<Hook>& hooks, std::string_view pointer) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (!is_absolute(hooks[i].path)) {
      return Error::invalid_config(pointer_to(pointer, i, "path"),
                                   cat({"must be an absolute path, not ", quoted(hooks[i].path)}));
    }
    if (hooks[i].timeout.has_value() && *hooks[i].timeout <= 0) {
      return Error::invalid_config(pointer_to(pointer, i, "timeout"), "must be greater than 0 seconds");
    }
  }
  return {};
}

Status check_hooks(const Spec& spec) {
  TRY(check_hook_list(spec.hooks.prestart, "/hooks/prestart"));
  TRY(check_hook_list(spec.hooks.create_runtime, "/hooks/createRuntime"));
  TRY(check_hook_list(spec.hooks.create_container, "/hooks/createContainer"));
  TRY(check_hook_list(spec.hooks.start_container, "/hooks/startContainer"));
  TRY(check_hook_list(spec.hooks.poststart, "/hooks/poststart"));
  return check_hook_list(spec.hooks.poststop, "/hooks/poststop");
}

Status check_annotations(const Spec& spec) {
  if (spec.annotations.count("") == 0) return {};
  return Error::invalid_config("/annotations", "must not have an empty name");
}

Status check_linux(const Spec& spec) {
  if (!spec.linux.has_value()) return {};
  using LinuxCheck = Status (*)(const Linux&);
  static constexpr std::array<LinuxCheck, 10> kChecks = {
      check_namespaces,    check_id_mappings,        check_time_offsets,     check_devices,
      check_net_devices,   check_rootfs_propagation, check_restricted_paths, check_intel_rdt,
      check_memory_policy, check_personality,
  };
  for (const LinuxCheck check : kChecks)
    TRY(check(*spec.linux));
  if (spec.linux->resources.has_value()) TRY(check_resources(*spec.linux->resources, "/linux/resources"));
  if (spec.linux->seccomp.has_value()) TRY(check_seccomp(*spec.linux->seccomp));
  return {};
}

}  // namespace

bool is_absolute(std::string_view path) {
  return path.starts_with('/');
}

Status validate_mounts(const std::vector<Mount>& mounts) {
  for (std::size_t i = 0; i < mounts.size(); ++i)
    TRY(check_mount(mounts[i], pointer_to("/mounts", i)));
  return {};
}

Status validate(const Spec& spec) {
  using Check = Status (*)(const Spec&);
  static constexpr std::array<Check, 11> kChecks = {
      check_oci_version, check_root,           check_mounts,  check_process,
      check_hostname,    check_domainname,     check_hooks,   check_annotations,
      check_linux,       check_user_is_mapped, check_sysctls,
  };
  for (const Check check : kChecks)
    TRY(check(spec));
  return {};
}

}  // namespace capsule::spec
