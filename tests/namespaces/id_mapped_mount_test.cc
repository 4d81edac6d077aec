#include "runtime/base/kernel_abi.h"
#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::mount_of;
using testing::planned_mount;

const std::vector<spec::IdMapping> kOwn = {{.container_id = 0, .host_id = 5000, .size = 10}};

plan::Donation donated(spec::Spec spec, const spec::Mount& mount) {
  spec.mounts = {mount};
  const std::vector<plan::Donation> all = testing::donated_for(plan_mounts, spec, testing::ordinary_host());
  return all.size() == 1 ? all[0] : plan::Donation{};
}

TEST_CASE("an id-mapped bind has its own maps or the container's", "[namespaces][idmap]") {
  spec::Spec spec = testing::ordinary_spec();
  testing::add_user_namespace(spec);
  spec::Mount with_maps = mount_of("/d", "", "/srv", {"bind", "ridmap"});
  with_maps.uid_mappings = with_maps.gid_mappings = kOwn;
  spec::Mount only_maps = mount_of("/d", "", "/srv", {"bind"});
  only_maps.uid_mappings = only_maps.gid_mappings = kOwn;

  struct Case {
    spec::Mount mount;
    std::string uids, gids;
    bool recursive;
    std::string because;
  };
  const Case cases[] = {
      {mount_of("/d", "", "/srv", {"bind", "idmap"}), "0 100000 65536\n", "0 100000 65536\n", false,
       "the container's"},
      {with_maps, "0 5000 10\n", "0 5000 10\n", true, "its own, recursively"},
      {only_maps, "0 5000 10\n", "0 5000 10\n", false, "mappings alone ask for it too (config.md#mounts)"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=0-1-10#10-11-10;gids=0-100-10"}), "0 1 10\n10 11 10\n",
       "0 100 10\n", false, "crun's option"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=@1-3-10"}), "1 100003 10\n", "0 100000 65536\n", false,
       "relative to the container's map; the kind left out is the container's"},
      {mount_of("/d", "", "/srv", {"bind"}), "", "", false, "nobody asked"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    const plan::Donation donation = donated(spec, c.mount);
    CHECK(donation.kind == plan::Donation::Kind::bind_source);
    CHECK(donation.uid_map == c.uids);
    CHECK(donation.gid_map == c.gids);
    CHECK(donation.recursive_idmap == c.recursive);
  }
}

TEST_CASE("id-mapped mounts that cannot be made are refused", "[namespaces][idmap]") {
  spec::Mount half = mount_of("/d", "", "/srv", {"bind"});
  half.uid_mappings = kOwn;

  struct Case {
    spec::Mount mount;
    std::string message, because;
  };
  const Case cases[] = {
      {half, "/mounts/0: id-mapped mounts must have both uid and gid mappings specified", "half a mapping"},
      {mount_of("/d", "", "/srv", {"bind", "idmap"}),
       "/mounts/0: id-mapped mounts must have both uid and gid mappings specified",
       "no user namespace to take them from"},
      {mount_of("/p", "proc", "proc", {"idmap"}),
       "/mounts/0: a file system of type \"proc\" cannot be id-mapped",
       "a file system the kernel never maps"},
      {mount_of("/c", "cgroup", "cgroup", {"idmap"}),
       "/mounts/0: a file system of type \"cgroup\" cannot be id-mapped", "a view"},
      {mount_of("/m", "tmpfs", "tmpfs", {"idmap"}),
       "/mounts/0: id-mapped mounts must have both uid and gid mappings specified", "nor for a file system"},
      {mount_of("/m", "tmpfs", "tmpfs", {"remount", "idmap"}),
       "/mounts/0: a mount cannot be id-mapped any more when it is remounted", "too late"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=0-1"}),
       "/mounts/0/options/1: id mapping \"0-1\" must look like \"0-1000-10\"", "two numbers"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=0-1-0"}),
       "/mounts/0/options/1: id mapping \"0-1-0\" must look like \"0-1000-10\"", "an empty range"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=0-1x-2"}),
       "/mounts/0/options/1: id mapping \"0-1x-2\" must look like \"0-1000-10\"", "not a number"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=0--1-2"}),
       "/mounts/0/options/1: id mapping \"0--1-2\" must look like \"0-1000-10\"", "a negative number"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids=@0-70000-1"}),
       "/mounts/0/options/1: id mapping \"@0-70000-1\" is outside the container's user namespace",
       "nothing to be relative to"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=users=0-1-2"}),
       "/mounts/0/options/1: unknown id mapping \"users=0-1-2\", only uids= and gids= are known",
       "a kind nobody knows"},
      {mount_of("/d", "", "/srv", {"bind", "idmap=uids="}), "/mounts/0/options/1: id mapping is empty",
       "nothing in it"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned_mount(c.mount) == "error: " + c.message);
  }
}

TEST_CASE("an id-mapped file system is made outside, with its parameters and attributes",
          "[namespaces][idmap]") {
  spec::Spec spec = testing::ordinary_spec();
  testing::add_user_namespace(spec);
  spec::Mount mount = mount_of("/d", "tmpfs", "", {"nosuid", "sync", "size=1k", "tmpcopyup", "shared"});
  mount.uid_mappings = mount.gid_mappings = kOwn;

  const plan::Donation donation = donated(spec, mount);
  CHECK(donation.kind == plan::Donation::Kind::filesystem);
  CHECK(donation.type == "tmpfs");
  CHECK(donation.source == "tmpfs");
  CHECK(donation.parameters == std::vector<std::string>{"sync", "size=1k"});
  CHECK(donation.attributes.set == MOUNT_ATTR_NOSUID);
  CHECK(donation.attributes.propagation == MS_SHARED);
  CHECK(donation.uid_map == "0 5000 10\n");
  CHECK(donation.gid_map == "0 5000 10\n");
  CHECK(planned_mount(spec, mount) ==
        "mount_filesystem target=/d type=tmpfs source=tmpfs options=[sync size=1k] "
        "flags=create_target|tmpcopyup slot=2 set=nosuid propagation=shared   # /mounts/0");
}

TEST_CASE("only root can make id-mapped mounts", "[namespaces][idmap]") {
  spec::Spec spec = testing::ordinary_spec();
  testing::add_user_namespace(spec);

  CHECK(planned_mount(spec, mount_of("/d", "", "/srv", {"bind", "idmap"}), testing::rootless_host()) ==
        "error: /mounts/0: id-mapped mounts are not supported for rootless containers");
}

}  // namespace
}  // namespace capsule::ns
