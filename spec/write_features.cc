// What this build can do, whatever the host it runs on: features.md, features-linux.md.
//
// Engines decide by it (containerd refuses id-mapped mounts without mountExtensions and breaks on a missing
// `linux`; CRI-O wants both versions), so each `false` below is a promise that the field is refused or
// ignored, and becomes `true` together with the code.
#include <array>

#include "spec/json_out.h"
#include "spec/names.h"
#include "spec/validate_checks.h"
#include "spec/write.h"

namespace capsule::spec {
namespace {

constexpr auto kHooks = std::to_array<std::string_view>(
    {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"});

// Sorted, as features-linux.md lists them.
constexpr auto kNamespaces =
    std::to_array<std::string_view>({"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"});

// Annotations that reach beyond the container: reserved with the meaning they have for runc, so that an
// engine which consults this list keeps untrusted users from setting them, also in bundles that another
// runtime will run. A name that ends with '.' is a prefix.
constexpr auto kUnsafeAnnotations =
    std::to_array<std::string_view>({"org.criu.config", "org.systemd.property."});

Json enabled(bool is_enabled) {
  Json json = Json::object();
  json["enabled"] = is_enabled;
  return json;
}

Json cgroup_features() {
  Json json = Json::object();
  json["v1"] = false;  // by decision: cgroup v2 only
  json["v2"] = true;
  json["systemd"] = true;
  json["systemdUser"] = true;
  json["rdma"] = true;
  return json;
}

Json seccomp_features(const FeatureLists& features) {
  Json json = enabled(true);
  json["actions"] = features.seccomp_actions;
  json["operators"] = features.seccomp_operators;
  json["archs"] = features.seccomp_archs;
  json["knownFlags"] = features.seccomp_known_flags;
  json["supportedFlags"] = features.seccomp_supported_flags;
  return json;
}

Json memory_policy_features() {
  Json json = Json::object();
  json["modes"] = Json::array();
  for (const std::string_view mode : memory_policy_modes())
    json["modes"].push_back(mode);
  json["flags"] = Json::array();
  for (const std::string_view flag : memory_policy_flags())
    json["flags"].push_back(flag);
  return json;
}

Json rdt_features() {
  Json json = enabled(true);
  json["schemata"] = true;
  json["monitoring"] = true;
  return json;
}

Json linux_features(const FeatureLists& features) {
  Json json = Json::object();
  json["namespaces"] = kNamespaces;
  json["capabilities"] = features.capabilities;
  json["cgroup"] = cgroup_features();
  json["seccomp"] = seccomp_features(features);
  json["apparmor"] = enabled(true);
  json["selinux"] = enabled(true);
  json["intelRdt"] = rdt_features();
  json["memoryPolicy"] = memory_policy_features();
  json["mountExtensions"]["idmap"] = enabled(true);
  json["netDevices"] = enabled(true);
  return json;
}

// The runc names are those that readers of this document look for, whichever runtime wrote it.
Json annotations(const FeatureLists& features) {
  Json json = Json::object();
  put(json, "io.github.seccomp.libseccomp.version", features.libseccomp_version);
  json["org.opencontainers.runc.checkpoint.enabled"] = "false";
  put(json, "capsule.version", features.version);
  put(json, "capsule.commit", features.commit);
  return json;
}

}  // namespace

std::string write_features(const FeatureLists& features) {
  Json json = Json::object();
  json["ociVersionMin"] = "1.0.0";
  json["ociVersionMax"] = "1.3.0";
  json["hooks"] = kHooks;
  json["mountOptions"] = features.mount_options;
  json["linux"] = linux_features(features);
  json["annotations"] = annotations(features);
  json["potentiallyUnsafeConfigAnnotations"] = kUnsafeAnnotations;
  return to_text(json, Layout::four_spaces);
}

}  // namespace capsule::spec
