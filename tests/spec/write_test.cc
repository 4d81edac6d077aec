#include "spec/write.h"

#include <algorithm>

#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

ContainerState running_state() {
  ContainerState state;
  state.oci_version = "1.3.0";
  state.id = "c1";
  state.pid = 123;
  state.status = "running";
  state.bundle = "/abs/bundle";
  state.rootfs = "/abs/rootfs";
  state.created = "2026-08-19T10:00:00.123456789Z";
  state.annotations = {{"b", "2"}, {"a", "\"1\""}};
  return state;
}

FeatureLists some_features() {
  FeatureLists features;
  features.mount_options = {"async", "rro"};
  features.capabilities = {"CAP_CHOWN"};
  features.seccomp_actions = {"SCMP_ACT_ALLOW"};
  features.seccomp_operators = {"SCMP_CMP_EQ"};
  features.seccomp_archs = {"SCMP_ARCH_X86_64"};
  features.seccomp_known_flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"};
  features.seccomp_supported_flags = {};
  features.libseccomp_version = "2.5.4";
  features.version = "0.1.0";
  features.commit = "abc";
  return features;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool lists(const Linux& linux_part, NamespaceType type) {
  return std::any_of(linux_part.namespaces.begin(), linux_part.namespaces.end(),
                     [type](const Namespace& ns) { return ns.type == type; });
}

}  // namespace

TEST_CASE("state is printed as runc prints it", "[spec][write]") {
  CHECK(write_state(running_state()) == R"({
  "ociVersion": "1.3.0",
  "id": "c1",
  "pid": 123,
  "status": "running",
  "bundle": "/abs/bundle",
  "rootfs": "/abs/rootfs",
  "created": "2026-08-19T10:00:00.123456789Z",
  "annotations": {
    "a": "\"1\"",
    "b": "2"
  },
  "owner": ""
}
)");
}

TEST_CASE("a stopped container has pid 0 in its state and none in its hooks' state", "[spec][write]") {
  ContainerState state = running_state();
  state.pid = 0;
  state.status = "stopped";
  state.annotations.clear();

  CHECK(has(write_state(state), "\"pid\": 0,"));
  CHECK_FALSE(has(write_state(state), "annotations"));
  CHECK(write_hook_state(state) ==
        "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"status\":\"stopped\",\"bundle\":\"/abs/"
        "bundle\",\"root\":\"/abs/rootfs\"}\n");
}

TEST_CASE("hooks read the state on one line, with pid and annotations", "[spec][write]") {
  CHECK(
      write_hook_state(running_state()) ==
      R"({"ociVersion":"1.3.0","id":"c1","status":"running","pid":123,"bundle":"/abs/bundle","root":"/abs/rootfs",)"
      R"("annotations":{"a":"\"1\"","b":"2"}})"
      "\n");
}

TEST_CASE("a list is one array on one line, also if there is nothing to list", "[spec][write]") {
  ContainerState owned = running_state();
  owned.annotations.clear();
  owned.owner = "root";

  CHECK(write_state_list({}) == "[]\n");
  CHECK(write_state_list({owned, owned}).find(R"([{"ociVersion":"1.3.0","id":"c1","pid":123,)") == 0);
  CHECK(has(write_state_list({owned, owned}), R"("owner":"root"},{"ociVersion")"));
  CHECK(write_state_list({owned}).find('\n') == write_state_list({owned}).size() - 1);
}

TEST_CASE("pids are printed as a JSON array", "[spec][write]") {
  CHECK(write_pids({1, 4194304}) == "[1,4194304]\n");
  CHECK(write_pids({}) == "[]\n");
}

TEST_CASE("a path that is not UTF-8 does not stop the writer", "[spec][write]") {
  ContainerState state = running_state();
  state.bundle = "/b\xff";

  CHECK(has(write_state(state), "\"bundle\": \"/b\xEF\xBF\xBD\""));
}

TEST_CASE("features name both versions, the hooks and the lists they were given", "[spec][features]") {
  const std::string features = write_features(some_features());

  CHECK(features.find(
            "{\n    \"ociVersionMin\": \"1.0.0\",\n    \"ociVersionMax\": \"1.3.0\",\n    \"hooks\": [\n"
            "        \"prestart\",\n        \"createRuntime\",\n        \"createContainer\",\n"
            "        \"startContainer\",\n        \"poststart\",\n        \"poststop\"\n    ],\n"
            "    \"mountOptions\": [\n        \"async\",\n        \"rro\"\n    ],\n    \"linux\": {\n") == 0);
  CHECK(has(features, "\"capabilities\": [\n            \"CAP_CHOWN\"\n"));
  CHECK(has(features, "\"knownFlags\": [\n                \"SECCOMP_FILTER_FLAG_LOG\",\n"));
  CHECK(has(features, "\"supportedFlags\": []\n"));  // [] is none, an absent list would be "unknown"
  CHECK(features.back() == '\n');
}

TEST_CASE("features list all eight namespaces, sorted", "[spec][features]") {
  std::string features = write_features(some_features());
  std::erase_if(features, [](char c) { return c == ' ' || c == '\n'; });

  CHECK(has(features, R"("namespaces":["cgroup","ipc","mount","network","pid","time","user","uts"])"));
}

TEST_CASE("features promise what this build does and nothing else", "[spec][features]") {
  std::string features = write_features(some_features());
  std::erase_if(features, [](char c) { return c == ' ' || c == '\n'; });

  CHECK(has(features, R"("cgroup":{"v1":false,"v2":true,"systemd":true,"systemdUser":true,"rdma":true})"));
  CHECK(has(features,
            R"("seccomp":{"enabled":true,"actions":["SCMP_ACT_ALLOW"],"operators":["SCMP_CMP_EQ"],)"));
  CHECK(has(features, R"("apparmor":{"enabled":true},"selinux":{"enabled":true},)"
                      R"("intelRdt":{"enabled":true,"schemata":true,"monitoring":true})"));
  CHECK(has(features, R"("memoryPolicy":{"modes":["MPOL_DEFAULT",)"));
  CHECK(has(features, R"("flags":["MPOL_F_NUMA_BALANCING","MPOL_F_RELATIVE_NODES","MPOL_F_STATIC_NODES"]})"));
  CHECK(has(features, R"("mountExtensions":{"idmap":{"enabled":true}},"netDevices":{"enabled":true}})"));
  CHECK(has(features, R"("org.opencontainers.runc.checkpoint.enabled":"false")"));
  CHECK(has(features, R"("io.github.seccomp.libseccomp.version":"2.5.4")"));
  CHECK(has(features, R"("potentiallyUnsafeConfigAnnotations":["org.criu.config","org.systemd.property."])"));
}

TEST_CASE("the default configuration grants three capabilities, none ambient or inheritable",
          "[spec][default]") {
  const Process process = *default_spec().process;
  const std::vector<std::string> granted = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};

  CHECK(process.capabilities->bounding == granted);
  CHECK(process.capabilities->effective == granted);
  CHECK(process.capabilities->permitted == granted);
  CHECK(process.capabilities->inheritable.empty());
  CHECK(process.capabilities->ambient.empty());
  CHECK(process.no_new_privileges);
}

TEST_CASE("the default configuration has a read-only root and six new namespaces", "[spec][default]") {
  const Spec spec = default_spec();

  CHECK(spec.root->path == "rootfs");
  CHECK(spec.root->readonly);
  CHECK(spec.hostname == "capsule");
  CHECK(spec.linux->namespaces.size() == 6);
  CHECK(lists(*spec.linux, NamespaceType::cgroup));
  CHECK_FALSE(lists(*spec.linux, NamespaceType::user));
  CHECK(spec.linux->masked_paths.size() == 10);
  CHECK(spec.linux->readonly_paths.size() == 5);
  REQUIRE(spec.linux->resources->devices.size() == 1);
  CHECK_FALSE(spec.linux->resources->devices[0].allow);
  CHECK(spec.linux->resources->devices[0].access == "rwm");
}

TEST_CASE("the rootless configuration maps the caller to root and asks for nothing privileged",
          "[spec][default]") {
  const Spec spec = default_rootless_spec(1000, 1001);

  CHECK(lists(*spec.linux, NamespaceType::user));
  CHECK_FALSE(lists(*spec.linux, NamespaceType::network));
  REQUIRE(spec.linux->uid_mappings.size() == 1);
  CHECK(spec.linux->uid_mappings[0].host_id == 1000);
  CHECK(spec.linux->gid_mappings.at(0).host_id == 1001);
  CHECK_FALSE(spec.linux->resources.has_value());
  const std::string written = write(spec);
  CHECK_FALSE(has(written, "gid="));
  CHECK_FALSE(has(written, "sysfs"));
  CHECK(has(written, "\"source\": \"/sys\",\n\t\t\t\"options\": [\n\t\t\t\t\"rbind\",\n"));
}
