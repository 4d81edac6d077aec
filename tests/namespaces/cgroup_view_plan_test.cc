#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::mount_of;
using testing::planned_mount;

const std::string kTarget = "/sys/fs/cgroup";

TEST_CASE("without a cgroup namespace the host's hierarchy is bound read-only, whatever is asked",
          "[namespaces][cgroup_view]") {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"nosuid", "ro"}, {"nosuid", "rw"}, {"nosuid", "rrw"}}) {
    INFO(options[1]);
    const std::string text = planned_mount(mount_of(kTarget, "cgroup", "cgroup", options));
    CHECK(text.find("bind target=/sys/fs/cgroup source=/sys/fs/cgroup flags=create_target|recursive|bind "
                    "slot=2 set=") == 0);
    CHECK(text.find(" recursive_set=ro ") != std::string::npos);
    CHECK(text.find("clear=") == std::string::npos);
  }
}

TEST_CASE("with a cgroup namespace a cgroup2 mount shows the container's own", "[namespaces][cgroup_view]") {
  struct Case {
    std::string type, path;
    std::vector<std::string> options;
    std::string attributes, because;
  };
  const Case cases[] = {
      {"cgroup",
       "",
       {"nosuid", "noexec", "nodev", "relatime", "ro"},
       " set=ro|nosuid|nodev|noexec clear=atime",
       "new namespace"},
      {"cgroup2", "", {}, "", "by its own name"},
      {"cgroup", "/proc/7/ns/cgroup", {"rw"}, " clear=ro", "a joined one is as private"},
      {"cgroup", "", {"nsdelegate", "memory"}, "", "data options are dropped"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    testing::add_namespace(spec, spec::NamespaceType::cgroup, c.path);
    CHECK(planned_mount(spec, mount_of(kTarget, c.type, "cgroup", c.options)) ==
          "mount_filesystem target=/sys/fs/cgroup type=cgroup2 source=cgroup "
          "fallback_source=/sys/fs/cgroup/machine/c1 "
          "flags=create_target|fallback_bind" +
              c.attributes + "   # /mounts/0");
  }
}

TEST_CASE("a container without a cgroup of its own has nothing to fall back to",
          "[namespaces][cgroup_view]") {
  spec::Spec spec = testing::ordinary_spec();
  testing::add_namespace(spec, spec::NamespaceType::cgroup);
  HostFacts host = testing::ordinary_host();
  host.cgroup_path.clear();

  CHECK(
      planned_mount(spec, mount_of(kTarget, "cgroup", "cgroup", {}), host) ==
      "mount_filesystem target=/sys/fs/cgroup type=cgroup2 source=cgroup flags=create_target   # /mounts/0");
}

TEST_CASE("a host without cgroup2 cannot show any", "[namespaces][cgroup_view]") {
  HostFacts host = testing::ordinary_host();
  host.cgroup_mount.clear();

  CHECK(planned_mount(mount_of(kTarget, "cgroup", "cgroup", {}), host) ==
        "error: /mounts/0: this host has no cgroup2 file system to mount");
}

TEST_CASE("a bind of type cgroup is a bind like any other", "[namespaces][cgroup_view]") {
  CHECK(planned_mount(mount_of(kTarget, "cgroup", "/sys/fs/cgroup/x", {"bind"})) ==
        "bind target=/sys/fs/cgroup source=/sys/fs/cgroup/x flags=create_target|bind slot=2 "
        "propagation=slave   # /mounts/0");
}

}  // namespace
}  // namespace capsule::ns
