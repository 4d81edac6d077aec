#include "runtime/base/kernel_abi.h"
#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::planned;

TEST_CASE("the root is prepared as its path and rootfsPropagation say", "[namespaces][root]") {
  struct Case {
    std::string path, propagation, step, because;
  };
  const Case cases[] = {
      {"rootfs", "",
       "prepare_root source=/bundle/rootfs slot=2 host_propagation=slave root_propagation=slave",
       "as runc does it"},
      {"/var/root", "rslave",
       "prepare_root source=/var/root slot=2 host_propagation=slave root_propagation=slave", "absolute"},
      {"rootfs", "private",
       "prepare_root source=/bundle/rootfs slot=2 host_propagation=private root_propagation=private",
       "nothing from the host"},
      {"rootfs", "shared",
       "prepare_root source=/bundle/rootfs slot=2 host_propagation=slave root_propagation=private",
       "pivot_root refuses a shared root: it is shared afterwards"},
      {"rootfs", "rshared",
       "prepare_root source=/bundle/rootfs slot=2 host_propagation=slave root_propagation=private",
       "with all below it, but not earlier either"},
      {"rootfs", "unbindable",
       "prepare_root source=/bundle/rootfs slot=2 host_propagation=slave root_propagation=slave",
       "could not be cloned if it were unbindable now"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.root->path = c.path;
    if (!c.propagation.empty()) spec.linux->rootfs_propagation = c.propagation;
    std::string text = planned(plan_root, spec, testing::ordinary_host());
    text.erase(text.find(" mode=pivot"), std::string_view(" mode=pivot").size());
    CHECK(text == c.step + "   # /root/path");
  }
}

TEST_CASE("the host side donates a clone of the whole rootfs", "[namespaces][root]") {
  const std::vector<plan::Donation> donated =
      testing::donated_for(plan_root, testing::ordinary_spec(), testing::ordinary_host());

  REQUIRE(donated.size() == 1);
  CHECK(donated[0].kind == plan::Donation::Kind::rootfs);
  CHECK(donated[0].recursive);
  CHECK(donated[0].source == "/bundle/rootfs");
  CHECK(donated[0].field == "/root/path");
  CHECK(donated[0].attributes.recursive_propagation == MS_SLAVE);
}

TEST_CASE("without privileges init clones the rootfs itself", "[namespaces][root]") {
  const spec::Spec spec = testing::ordinary_spec();

  CHECK(planned(plan_root, spec, testing::rootless_host()) ==
        "prepare_root source=/bundle/rootfs mode=pivot host_propagation=slave root_propagation=slave   # "
        "/root/path");
  CHECK(testing::donated_for(plan_root, spec, testing::rootless_host()).empty());
}

TEST_CASE("--no-pivot enters the root with chroot", "[namespaces][root]") {
  HostFacts host = testing::ordinary_host();
  host.no_pivot = true;
  spec::Spec spec = testing::ordinary_spec();

  CHECK(planned(plan_root, spec, host) ==
        "prepare_root source=/bundle/rootfs mode=chroot slot=2 host_propagation=slave root_propagation=slave "
        "  # /root/path");
  spec.linux->rootfs_propagation = "rprivate";
  CHECK(planned(plan_root, spec, host) ==
        "error: /linux/rootfsPropagation: rootfsPropagation of [r]private is not safe without pivot_root");
}

TEST_CASE("without a mount namespace of its own a container changes no propagation", "[namespaces][root]") {
  spec::Spec spec = testing::ordinary_spec();
  testing::remove_namespace(spec, spec::NamespaceType::mount);
  spec.linux->rootfs_propagation = "shared";
  SECTION("none") {}
  SECTION("joined") {
    testing::add_namespace(spec, spec::NamespaceType::mount, "/proc/1/ns/mnt");
  }

  CHECK(planned(plan_root, spec, testing::ordinary_host()) ==
        "prepare_root source=/bundle/rootfs mode=plain   # /root/path");
  CHECK(testing::donated_for(plan_root, spec, testing::ordinary_host()).empty());
  CHECK(planned(plan_pivot, spec, testing::ordinary_host()) == "pivot");

  spec.root->readonly = true;
  CHECK(
      planned(plan_root, spec, testing::ordinary_host()) ==
      "error: /root/readonly: needs a new mount namespace, or the host's file system would become read-only");
}

TEST_CASE("a container needs a root", "[namespaces][root]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.root->path = std::string("a\0b", 3);
  CHECK(planned(plan_root, spec, testing::ordinary_host()) == "error: /root/path: path contains null byte");
  spec.root->path.clear();
  CHECK(planned(plan_root, spec, testing::ordinary_host()) == "error: /root: root must be specified");
  spec.root.reset();
  CHECK(planned(plan_root, spec, testing::ordinary_host()) == "error: /root: root must be specified");
}

TEST_CASE("paths are made read-only, then masked, and last nothing can be written", "[namespaces][paths]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.root->readonly = true;
  spec.process.emplace().cwd = "/work//dir/";
  spec.mounts = {testing::mount_of("/dev", "tmpfs", "tmpfs", {"ro"})};
  spec.linux->masked_paths = {"/proc/kcore", "/proc/keys"};
  spec.linux->readonly_paths = {"/proc/sys"};

  CHECK(planned(plan_paths, spec, testing::ordinary_host()) ==
        "make_readonly target=/proc/sys   # /linux/readonlyPaths/0\n"
        "mask target=/proc/kcore   # /linux/maskedPaths/0\n"
        "mask target=/proc/keys   # /linux/maskedPaths/1\n"
        "make_cwd target=/work/dir   # /process/cwd\n"
        "set_attributes target=/dev set=ro   # /mounts/0\n"
        "set_attributes target=/ set=ro   # /root/readonly");
}

TEST_CASE("the cover of a masked directory has the mount label", "[namespaces][paths]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->mount_label = "a:b:c:s0";
  spec.linux->masked_paths = {"/proc/acpi"};
  spec.linux->readonly_paths = {"/proc/bus"};

  const std::string text = planned(plan_paths, spec, testing::ordinary_host());

  CHECK(text.find("mask target=/proc/acpi label=a:b:c:s0   #") != std::string::npos);
  CHECK(text.find("make_readonly target=/proc/bus   #") != std::string::npos);
}

TEST_CASE("a path is masked once however often it is listed", "[namespaces][paths]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->masked_paths = {"/proc/kcore", "/proc/./kcore", "/proc/keys", "/proc/kcore/"};
  spec.linux->readonly_paths = {"/proc/keys"};

  CHECK(planned(plan_paths, spec, testing::ordinary_host()) ==
        "make_readonly target=/proc/keys   # /linux/readonlyPaths/0\n"
        "mask target=/proc/kcore   # /linux/maskedPaths/0\n"
        "mask target=/proc/keys   # /linux/maskedPaths/2");
}

TEST_CASE("the root itself can be neither masked nor on the read-only list", "[namespaces][paths]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->masked_paths = {"/x", "/.."};
  CHECK(planned(plan_paths, spec, testing::ordinary_host()) ==
        "error: /linux/maskedPaths/1: \"/..\" is the top of the rootfs");
  spec.linux->readonly_paths = {std::string("/a\0b", 4)};
  CHECK(planned(plan_paths, spec, testing::ordinary_host()) ==
        "error: /linux/readonlyPaths/0: path contains null byte");
}

TEST_CASE("the root directory need not be made to be the working directory", "[namespaces][paths]") {
  spec::Spec spec = testing::ordinary_spec();
  CHECK(planned(plan_paths, spec, testing::ordinary_host()).empty());
  spec.process.emplace().cwd = "/";
  CHECK(planned(plan_paths, spec, testing::ordinary_host()).empty());
}

}  // namespace
}  // namespace capsule::ns
