// The top level, mounts, hooks and names.
#include "spec/validate.h"

#include <functional>
#include <vector>

#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

struct Bad {
  std::function<void(Spec&)> spoil;
  const char* message;
  const char* because;
};

Mount mount_at(const char* destination) {
  Mount mount;
  mount.destination = destination;
  return mount;
}

Hook hook(const char* path, std::optional<std::int32_t> timeout = std::nullopt) {
  Hook hook;
  hook.path = path;
  hook.timeout = timeout;
  return hook;
}

void add_uts(Spec& spec) {
  spec.linux->namespaces.push_back({NamespaceType::uts, std::nullopt});
}

}  // namespace

TEST_CASE("the smallest specification is valid, also without process and without linux", "[spec][validate]") {
  Spec spec = minimal_spec();
  CHECK(message_of(validate(spec)).empty());

  spec.linux.reset();
  CHECK(message_of(validate(spec)).empty());
}

// Covers: /ociVersion
TEST_CASE("every version 1.x is accepted", "[spec][validate]") {
  for (const char* version : {"1.0.0", "1.0.2-dev", "1.3.0", "1.99.0", "1.0.0-rc5+build"}) {
    Spec spec = minimal_spec();
    spec.oci_version = version;
    INFO(version);
    CHECK(message_of(validate(spec)).empty());
  }
  for (const char* version : {"", "1", "1.", "1.x", "2.0.0", "0.5.0", "10.0.0", " 1.0.0"}) {
    Spec spec = minimal_spec();
    spec.oci_version = version;
    INFO(version);
    CHECK(
        message_of(validate(spec)).find("/ociVersion: must be a version 1.x of the specification, not \"") ==
        0);
  }
}

TEST_CASE("a broken rule of the top level is named", "[spec][validate]") {
  const std::vector<Bad> table = {
      {[](Spec& s) { s.root.reset(); }, "/root: root must be specified", "a container has a root"},
      {[](Spec& s) { s.root->path.clear(); }, "/root/path: must not be empty", "it would be the bundle"},
      {[](Spec& s) { s.mounts = {mount_at("")}; }, "/mounts/0/destination: must not be empty", "where to?"},
      {[](Spec& s) {
         s.mounts = {mount_at("/a")};
         s.mounts[0].uid_mappings = {{0, 1000, 1}};
       },
       "/mounts/0: id-mapped mounts must have both uid and gid mappings specified", "half a mapping"},
      {[](Spec& s) {
         s.mounts = {mount_at("/a")};
         s.mounts[0].uid_mappings = s.mounts[0].gid_mappings = {{0, 1000, 1}};
         s.mounts[0].gid_mappings[0].size = 0;
       },
       "/mounts/0/gidMappings/0/size: must be at least 1", "it maps nothing"},
      {[](Spec& s) { s.hostname = "h"; }, "/hostname: unable to set hostname without a private UTS namespace",
       "it would rename the host"},
      {[](Spec& s) { s.domainname = "d"; },
       "/domainname: unable to set domainname without a private UTS namespace", "it would rename the host"},
      {[](Spec& s) {
         s.hostname = "h";
         s.linux.reset();
       },
       "/hostname: unable to set hostname without a private UTS namespace", "no linux, no namespaces"},
      {[](Spec& s) {
         add_uts(s);
         s.hostname = std::string(65, 'h');
       },
       "/hostname: must not be longer than 64 bytes", "sethostname(2) takes 64"},
      {[](Spec& s) { s.hooks.prestart = {hook("h")}; },
       "/hooks/prestart/0/path: must be an absolute path, not \"h\"", "PATH?"},
      {[](Spec& s) { s.hooks.create_runtime = {hook("/h", 0)}; },
       "/hooks/createRuntime/0/timeout: must be greater than 0 seconds", "config.md says MUST"},
      {[](Spec& s) {
         s.hooks.create_container = {hook("/h"), hook("/h", -1)};
       },
       "/hooks/createContainer/1/timeout: must be greater than 0 seconds", "config.md says MUST"},
      {[](Spec& s) { s.hooks.start_container = {hook("")}; },
       "/hooks/startContainer/0/path: must be an absolute path, not \"\"", "run what?"},
      {[](Spec& s) { s.hooks.poststart = {hook("./h")}; },
       "/hooks/poststart/0/path: must be an absolute path, not \"./h\"", "relative to what?"},
      {[](Spec& s) { s.hooks.poststop = {hook("a\nb")}; },
       "/hooks/poststop/0/path: must be an absolute path, not \"a\\nb\"", "an error is one line"},
      {[](Spec& s) {
         s.annotations = {{"", "x"}};
       },
       "/annotations: must not have an empty name", "config.md says MUST"},
      {[](Spec& s) { s.process = Process{}; }, "/process/cwd: Cwd must be an absolute path",
       "the process is looked at"},
  };
  for (const Bad& bad : table) {
    Spec spec = minimal_spec();
    bad.spoil(spec);
    INFO(bad.because);
    CHECK(message_of(validate(spec)) == bad.message);
  }
}

TEST_CASE("hostname and domainname may be set in a UTS namespace, new or joined", "[spec][validate]") {
  Spec spec = minimal_spec();
  add_uts(spec);
  spec.hostname = std::string(64, 'h');
  spec.domainname = "d";
  CHECK(message_of(validate(spec)).empty());

  spec.linux->namespaces[0].path = "/run/netns/uts";
  CHECK(message_of(validate(spec)).empty());
}

TEST_CASE("the first broken rule in the order of the specification is reported", "[spec][validate]") {
  Spec spec = minimal_spec();
  spec.oci_version = "2.0.0";
  spec.root.reset();

  CHECK(message_of(validate(spec)).find("/ociVersion") == 0);
}
