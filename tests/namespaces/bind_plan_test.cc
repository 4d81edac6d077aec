#include "runtime/base/kernel_abi.h"
#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::mount_of;
using testing::planned_mount;

TEST_CASE("bind mounts become steps with a donated clone", "[namespaces][bind]") {
  struct Case {
    spec::Mount mount;
    std::string step, because;
  };
  const Case cases[] = {
      {mount_of("/etc/hosts", "bind", "/run/hosts", {"rbind", "rprivate", "ro"}),
       "bind target=/etc/hosts source=/run/hosts flags=create_target|recursive|bind slot=2 set=ro "
       "recursive_propagation=private",
       "its own propagation replaces the root's"},
      {mount_of("/data", "bind", "/srv", {}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 propagation=slave",
       "the type is enough; the root's propagation by default"},
      {mount_of("/data", "none", "/srv", {"bind"}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 propagation=slave",
       "the option is enough"},
      {mount_of("/data", "tmpfs", "/srv", {"bind"}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 propagation=slave",
       "the option makes the type meaningless"},
      {mount_of("/data", "", "data", {"bind"}),
       "bind target=/data source=/bundle/data flags=create_target|bind slot=2 propagation=slave",
       "relative sources start at the bundle"},
      {mount_of("/data", "", "/srv", {"rbind", "shared"}),
       "bind target=/data source=/srv flags=create_target|recursive|bind slot=2 propagation=shared "
       "recursive_propagation=slave",
       "shared at the top alone"},
      {mount_of("/data", "", "/srv", {"rbind", "rshared"}),
       "bind target=/data source=/srv flags=create_target|recursive|bind slot=2 recursive_propagation=shared",
       "shared throughout"},
      {mount_of("/data", "", "/srv", {"rbind", "rro", "rnosuid"}),
       "bind target=/data source=/srv flags=create_target|recursive|bind slot=2 recursive_set=ro|nosuid "
       "recursive_propagation=slave",
       "recursive attributes"},
      {mount_of("/data", "", "/srv", {"bind", "rro", "rnoatime", "rdev"}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 set=ro|noatime clear=nodev|atime "
       "propagation=slave",
       "a single mount needs no second call for them"},
      {mount_of("/data", "", "/srv", {"bind", "rnoatime", "strictatime"}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 set=strictatime clear=atime "
       "propagation=slave",
       "the last way to keep access times, and it alone"},
      {mount_of("/data", "", "/srv", {"bind", "rnoexec", "exec"}),
       "bind target=/data source=/srv flags=create_target|bind slot=2 clear=noexec propagation=slave",
       "what was said last of the top is said of all"},
      {mount_of("/data", "", "/srv", {"bind", "sync", "lazytime", "acl"}),
       "error: /mounts/0/options/3: bind mounts cannot have any filesystem-specific options applied",
       "superblock flags are not a bind's to change and have no effect; data is refused"},
      {mount_of("/data", "bind", "", {"bind"}), "error: /mounts/0/source: is needed for a bind mount",
       "no source"},
      {mount_of("/l", "", "/srv/link", {"bind", "src-nofollow"}),
       "bind target=/l source=/srv/link flags=create_target|bind|source_nofollow slot=2 propagation=slave",
       "the link itself"},
      {mount_of("/l", "", "/srv/link", {"bind", "copy-symlink"}),
       "bind target=/l source=/srv/link flags=create_target|bind|source_nofollow|copy_symlink slot=2 "
       "propagation=slave",
       "a copy has to see the link"},
      {mount_of("/sys", "none", "/sys", {"rbind", "ro"}),
       "bind target=/sys source=/sys flags=create_target|no_symlinks|recursive|bind slot=2 set=ro "
       "recursive_propagation=slave",
       "/sys is not reached through a symlink, whatever is mounted on it"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    const std::string expected = c.step.starts_with("error") ? c.step : c.step + "   # /mounts/0";
    CHECK(planned_mount(c.mount) == expected);
  }
}

TEST_CASE("the donation carries what the host side has to do", "[namespaces][bind]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.mounts = {mount_of("/tmp", "tmpfs", "tmpfs", {}),
                 mount_of("/data", "", "vol", {"rbind", "ro", "rprivate"}),
                 mount_of("/l", "", "/link", {"bind", "src-nofollow"})};

  const std::vector<plan::Donation> donated =
      testing::donated_for(plan_mounts, spec, testing::ordinary_host());

  REQUIRE(donated.size() == 2);
  CHECK(donated[0].kind == plan::Donation::Kind::bind_source);
  CHECK(donated[0].source == "/bundle/vol");
  CHECK(donated[0].field == "/mounts/1");
  CHECK(donated[0].recursive);
  CHECK_FALSE(donated[0].nofollow);
  CHECK(donated[0].attributes.set == MOUNT_ATTR_RDONLY);
  CHECK(donated[0].attributes.recursive_propagation == MS_PRIVATE);
  CHECK(donated[0].uid_map.empty());
  CHECK_FALSE(donated[1].recursive);
  CHECK(donated[1].nofollow);
}

TEST_CASE("without privileges init clones the source itself", "[namespaces][bind]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.mounts = {mount_of("/data", "", "vol", {"rbind", "ro"})};

  CHECK(testing::planned(plan_mounts, spec, testing::rootless_host()) ==
        "bind target=/data source=/bundle/vol flags=create_target|recursive|bind set=ro "
        "recursive_propagation=slave   # /mounts/0");
  CHECK(testing::donated_for(plan_mounts, spec, testing::rootless_host()).empty());
}

TEST_CASE("clones follow rootfsPropagation", "[namespaces][bind]") {
  struct Case {
    std::string propagation, expected, because;
  };
  const Case cases[] = {
      {"rprivate", "recursive_propagation=private", "no events in either direction"},
      {"rslave", "recursive_propagation=slave", "events from the host"},
      {"shared", "recursive_propagation=shared", "still in the peer group of the source"},
      {"unbindable", "recursive_propagation=slave", "only the root is unbindable"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.linux->rootfs_propagation = c.propagation;
    CHECK(planned_mount(spec, mount_of("/data", "", "/srv", {"rbind"})) ==
          "bind target=/data source=/srv flags=create_target|recursive|bind slot=2 " + c.expected +
              "   # /mounts/0");
  }
}

}  // namespace
}  // namespace capsule::ns
