#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::mount_of;
using testing::planned_mount;

struct Case {
  spec::Mount mount;
  std::string step, because;
};

TEST_CASE("the mounts of an ordinary engine become file system steps", "[namespaces][mounts]") {
  const Case cases[] = {
      {mount_of("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
       "mount_filesystem target=/proc type=proc source=proc flags=create_target|no_symlinks "
       "set=nosuid|nodev|noexec",
       "proc"},
      {mount_of("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
       "mount_filesystem target=/dev type=tmpfs source=tmpfs options=[mode=755 size=65536k] "
       "flags=create_target "
       "set=nosuid|strictatime",
       "tmpfs with data"},
      {mount_of("/dev/pts", "devpts", "devpts",
                {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
       "mount_filesystem target=/dev/pts type=devpts source=devpts options=[newinstance ptmxmode=0666 "
       "mode=0620 gid=5] "
       "flags=create_target set=nosuid|noexec",
       "newinstance is a flag among values"},
      {mount_of("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
       "mount_filesystem target=/dev/shm type=tmpfs source=shm options=[mode=1777 size=65536k] "
       "flags=create_target "
       "set=nosuid|nodev|noexec",
       "a source of its own"},
      {mount_of("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
       "mount_filesystem target=/dev/mqueue type=mqueue source=mqueue flags=create_target "
       "set=nosuid|nodev|noexec",
       "mqueue"},
      {mount_of("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
       "mount_filesystem target=/sys type=sysfs source=sysfs flags=create_target|no_symlinks "
       "set=ro|nosuid|nodev|noexec",
       "the mount is read-only, not the superblock that all of the namespace shares"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned_mount(c.mount) == c.step + "   # /mounts/0");
  }
}

TEST_CASE("options find their place: mount, superblock or data", "[namespaces][mounts]") {
  const Case cases[] = {
      {mount_of("/m", "ext4", "/dev/vdb", {"ro", "noatime", "sync"}),
       "mount_filesystem target=/m type=ext4 source=/dev/vdb options=[ro sync] flags=create_target "
       "set=ro|noatime",
       "a real file system is opened read-only too, or a write-protected device could not be mounted"},
      {mount_of("/m", "tmpfs", "", {"dirsync", "lazytime"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs options=[dirsync lazytime] flags=create_target",
       "superblock flags by name; the source defaults to the type"},
      {mount_of("/m", "overlay", "overlay", {"lowerdir=/a:/b", "volatile"}),
       "mount_filesystem target=/m type=overlay source=overlay options=[lowerdir=/a:/b volatile] "
       "flags=create_target",
       "what is unknown is the file system's"},
      {mount_of("/m", "tmpfs", "tmpfs", {"size=1k,mode=700"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs options=[size=1k mode=700] flags=create_target",
       "fsconfig takes one parameter at a time"},
      {mount_of("/m", "tmpfs", "tmpfs", {"rnosuid", "rnodev", "dev"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs flags=create_target set=nosuid",
       "a fresh mount is the whole tree: recursive attributes are its own, and clearing is not needed"},
      {mount_of("/m", "tmpfs", "tmpfs", {"rshared"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs flags=create_target propagation=shared",
       "and so is propagation"},
      {mount_of("/m", "tmpfs", "tmpfs", {"tmpcopyup"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs flags=create_target|tmpcopyup",
       "filled from what lies below"},
      {mount_of("/m", "tmpfs", "tmpfs", {"dest-nofollow"}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs flags=create_target|dest_nofollow",
       "crun's dest-nofollow"},
      {mount_of("relative//dir/", "tmpfs", "tmpfs", {"silent", "iversion", "defaults"}),
       "mount_filesystem target=/relative/dir type=tmpfs source=tmpfs flags=create_target",
       "relative to the root; words without effect leave no trace"},
      {mount_of("/m", "proc", "proc", {"hidepid=2"}),
       "mount_filesystem target=/m type=proc source=proc options=[hidepid=2] flags=create_target|no_symlinks",
       "procfs elsewhere is still not reached through a symlink"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned_mount(c.mount) == c.step + "   # /mounts/0");
  }
}

TEST_CASE("mounts that make no sense are refused with the field that is to blame", "[namespaces][mounts]") {
  using namespace std::string_literals;
  const Case cases[] = {
      {mount_of("/", "tmpfs", "tmpfs", {"tmpcopyup"}),
       "/mounts/0/destination: \"/\" is the top of the rootfs, and is not copied", "a copy of everything"},
      {mount_of("/a/..", "bind", "/x", {"bind", "copy-symlink"}),
       "/mounts/0/destination: \"/a/..\" is the top of the rootfs, and is not copied", "nor by a detour"},
      {mount_of("/", "tmpfs", "tmpfs", {"rshared"}),
       "/mounts/0/destination: \"/\" is the top of the rootfs, whose propagation is what "
       "/linux/rootfsPropagation says",
       "pivot_root takes no shared root"},
      {mount_of("/m", "", "x", {}), "/mounts/0/type: is needed for a mount that is not a bind mount",
       "no type"},
      {mount_of("/m", "ramfs", "x", {"tmpcopyup"}),
       "/mounts/0/options: tmpcopyup is only supported for tmpfs", "not a tmpfs"},
      {mount_of("/m", "", "/x", {"bind", "tmpcopyup"}),
       "/mounts/0/options: tmpcopyup is only supported for tmpfs", "a bind"},
      {mount_of("/m", "tmpfs", "x", {"copy-symlink"}),
       "/mounts/0/options: src-nofollow and copy-symlink are only supported for bind mounts",
       "there is no source to follow"},
      {mount_of("/m", "tmpfs", "x", {"nosuid", "size=1\0k"s}),
       "/mounts/0/options/1: mount field contains null byte", "data"},
      {mount_of("/m\0x"s, "tmpfs", "x", {}), "/mounts/0/destination: mount field contains null byte",
       "destination"},
      {mount_of("/m", "tmp\0fs"s, "x", {}), "/mounts/0/type: mount field contains null byte", "type"},
      {mount_of("/m", "tmpfs", "x\0"s, {}), "/mounts/0/source: mount field contains null byte", "source"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned_mount(c.mount) == "error: " + c.step);
  }
}

TEST_CASE("a tmpfs stays writable until everything in it is made", "[namespaces][mounts]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.mounts = {mount_of("/run/", "tmpfs", "tmpfs", {"ro", "nosuid"}),
                 mount_of("/run/x", "tmpfs", "tmpfs", {})};

  CHECK(testing::planned(plan_mounts, spec, testing::ordinary_host()) ==
        "mount_filesystem target=/run type=tmpfs source=tmpfs flags=create_target set=nosuid   # /mounts/0\n"
        "mount_filesystem target=/run/x type=tmpfs source=tmpfs flags=create_target   # /mounts/1");
  CHECK(testing::planned(plan_paths, spec, testing::ordinary_host()) ==
        "set_attributes target=/run set=ro   # /mounts/0");
}

TEST_CASE("a read-only tmpfs that is covered at once is read-only at once", "[namespaces][mounts]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.mounts = {mount_of("/run", "tmpfs", "tmpfs", {"ro"}), mount_of("/run", "tmpfs", "tmpfs", {})};

  CHECK(testing::planned(plan_mounts, spec, testing::ordinary_host()) ==
        "mount_filesystem target=/run type=tmpfs source=tmpfs flags=create_target set=ro   # /mounts/0\n"
        "mount_filesystem target=/run type=tmpfs source=tmpfs flags=create_target   # /mounts/1");
  CHECK(testing::planned(plan_paths, spec, testing::ordinary_host()).empty());
}

TEST_CASE("remount changes the attributes of what is mounted", "[namespaces][mounts]") {
  CHECK(planned_mount(mount_of("/sys", "", "", {"remount", "ro", "rnosuid", "shared"})) ==
        "set_attributes target=/sys set=ro recursive_set=nosuid propagation=shared   # /mounts/0");
  CHECK(planned_mount(mount_of("/x", "", "/y", {"bind", "remount", "rw"})) ==
        "set_attributes target=/x clear=ro   # /mounts/0");
  CHECK(planned_mount(mount_of("/", "", "", {"remount", "nodev"})) ==
        "set_attributes target=/ set=nodev   # /mounts/0");
}

TEST_CASE("remount with data or flags of the file system reconfigures it", "[namespaces][mounts]") {
  const Case cases[] = {
      {mount_of("/x", "tmpfs", "tmpfs", {"remount", "ro", "size=1m,nr_inodes=7"}),
       "reconfigure target=/x options=[size=1m nr_inodes=7]   # /mounts/0\n"
       "set_attributes target=/x set=ro   # /mounts/0",
       "data; read-only is the mount alone"},
      {mount_of("/x", "tmpfs", "tmpfs", {"remount", "sync", "async", "nolazytime", "mand"}),
       "reconfigure target=/x options=[mand nolazytime async]   # /mounts/0\n"
       "set_attributes target=/x   # /mounts/0",
       "flags of the superblock, the last word counting"},
      {mount_of("/x", "bind", "/y", {"remount", "sync"}), "set_attributes target=/x   # /mounts/0",
       "a bind's file system is somebody else's"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(planned_mount(c.mount) == c.step);
  }
  CHECK(planned_mount(mount_of("/x", "tmpfs", "", {"remount", "dirsync"})) ==
        "error: /mounts/0/options: dirsync cannot be changed by a remount");
  CHECK(planned_mount(mount_of("/x", "", "/y", {"bind", "remount", "size=1m"})) ==
        "error: /mounts/0/options/2: bind mounts cannot have any filesystem-specific options applied");
}

TEST_CASE("a mount on the root needs a mount namespace of the container's own", "[namespaces][mounts]") {
  const spec::Mount top = mount_of("/", "tmpfs", "tmpfs", {"size=1m"});
  CHECK(planned_mount(top) ==
        "mount_filesystem target=/ type=tmpfs source=tmpfs options=[size=1m] flags=create_target   # "
        "/mounts/0");

  spec::Spec spec = testing::ordinary_spec();
  testing::remove_namespace(spec, spec::NamespaceType::mount);
  CHECK(planned_mount(spec, top) ==
        "error: /mounts/0/destination: \"/\" is the top of the rootfs, and may be covered in a mount "
        "namespace of "
        "the container's own only");
}

TEST_CASE("what joins a container takes nothing of the host by path", "[namespaces][mounts]") {
  const auto plan = [](const spec::Mount& mount, HostFacts host) {
    host.joins = true;
    return planned_mount(mount, host);
  };
  const Case cases[] = {
      {mount_of("/m", "tmpfs", "tmpfs", {}),
       "mount_filesystem target=/m type=tmpfs source=tmpfs flags=create_target   # /mounts/0",
       "a file system without a source"},
      {mount_of("/m", "ext4", "/dev/vdb", {}),
       "mount_filesystem target=/m type=ext4 source=/dev/vdb flags=create_target slot=2   # /mounts/0",
       "the source is looked up outside"},
      {mount_of("/m", "overlay", "x", {"lowerdir=/a:/b"}),
       "mount_filesystem target=/m type=overlay source=x options=[lowerdir=/a:/b] flags=create_target "
       "slot=2   # /mounts/0",
       "and so are overlay's directories"},
      {mount_of("/m", "bind", "/a", {}),
       "bind target=/m source=/a flags=create_target|bind slot=2 propagation=slave   # /mounts/0", "a bind"},
      {mount_of("/", "tmpfs", "tmpfs", {}),
       "error: /mounts/0/destination: \"/\" is the top of the rootfs of a container that lives, and its "
       "processes would not see what covers it",
       "their root is not exchanged"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(plan(c.mount, testing::ordinary_host()) == c.step);
  }
  CHECK(plan(mount_of("/m", "bind", "/a", {}), testing::rootless_host()) ==
        "error: /mounts/0: a bind mount cannot be added to a rootless container that lives");
  CHECK(plan(mount_of("/m", "overlay", "x", {}), testing::rootless_host()) ==
        "error: /mounts/0: a file system of type \"overlay\" cannot be added to a rootless container that "
        "lives");
}

TEST_CASE("mounts are taken off in reverse", "[namespaces][mounts]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.mounts = {mount_of("/a/", "", "", {}), mount_of("a/b", "", "", {})};
  CHECK(testing::planned(
            [](const spec::Spec& s, const HostFacts&, plan::Builder& b) { return plan_unmounts(s, b); }, spec,
            testing::ordinary_host()) ==
        "unmount target=/a/b   # /mounts/1\nunmount target=/a   # /mounts/0");
  spec.mounts = {mount_of("/x/..", "", "", {})};
  CHECK(testing::planned(
            [](const spec::Spec& s, const HostFacts&, plan::Builder& b) { return plan_unmounts(s, b); }, spec,
            testing::ordinary_host()) == "error: /mounts/0/destination: \"/x/..\" is the top of the rootfs");
}

TEST_CASE("sysfs falls back to the host's in a user namespace that shares the host's network",
          "[namespaces][mounts]") {
  const spec::Mount sys = mount_of("/sys", "sysfs", "sysfs", {"nosuid", "rw"});
  spec::Spec spec = testing::ordinary_spec();
  testing::add_user_namespace(spec);

  CHECK(planned_mount(spec, sys) ==
        "mount_filesystem target=/sys type=sysfs source=sysfs flags=create_target|no_symlinks set=nosuid   # "
        "/mounts/0");

  testing::remove_namespace(spec, spec::NamespaceType::network);
  CHECK(planned_mount(spec, sys) ==
        "mount_filesystem target=/sys type=sysfs source=sysfs fallback_source=/sys "
        "flags=create_target|no_symlinks|fallback_bind set=nosuid clear=ro   # /mounts/0");
}

TEST_CASE("owners of a file system have to be mapped in a new user namespace", "[namespaces][mounts]") {
  const spec::Mount pts = mount_of("/dev/pts", "devpts", "devpts", {"newinstance", "gid=5"});
  spec::Spec spec = testing::ordinary_spec();
  testing::add_user_namespace(spec);
  CHECK_FALSE(planned_mount(spec, pts).starts_with("error"));

  spec.linux->gid_mappings = {{.container_id = 0, .host_id = 1000, .size = 1}};
  CHECK(planned_mount(spec, pts) ==
        "error: /mounts/0/options/1: cannot specify gid=5: the id is not mapped in the user namespace");
  CHECK_FALSE(planned_mount(spec, mount_of("/m", "tmpfs", "", {"uid=5", "gid=0"})).starts_with("error"));
}

// Covers: /linux/mountLabel
TEST_CASE("the mount label is a parameter where the file system takes one", "[namespaces][mounts]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->mount_label = "system_u:object_r:container_file_t:s0:c1,c2";

  CHECK(planned_mount(spec, mount_of("/m", "tmpfs", "tmpfs", {"mode=755"})) ==
        "mount_filesystem target=/m type=tmpfs source=tmpfs "
        "options=[mode=755 context=system_u:object_r:container_file_t:s0:c1,c2] flags=create_target   # "
        "/mounts/0");
  CHECK(planned_mount(spec, mount_of("/m", "devpts", "devpts", {})).find("context=") != std::string::npos);
  for (const char* type : {"proc", "sysfs", "mqueue"}) {
    INFO(type);
    CHECK(planned_mount(spec, mount_of("/m", type, type, {})).find("context=") == std::string::npos);
  }
  CHECK(planned_mount(spec, mount_of("/m", "bind", "/src", {"bind"})).find("container_file_t") ==
        std::string::npos);
}

TEST_CASE("the root of an mqueue is labelled like a file", "[namespaces][mounts]") {
  spec::Spec spec = testing::ordinary_spec();
  const auto planned = [&] { return planned_mount(spec, mount_of("/m", "mqueue", "mqueue", {})); };
  CHECK(planned().find("label=") == std::string::npos);

  spec.linux->mount_label = "a:b:c:s0";
  CHECK(planned().find(" label=a:b:c:s0 ") != std::string::npos);
  CHECK(planned_mount(spec, mount_of("/m", "tmpfs", "tmpfs", {})).find(" label=") == std::string::npos);
}

}  // namespace
}  // namespace capsule::ns
