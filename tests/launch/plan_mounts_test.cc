#include "runtime/launch/plan_mounts.h"

#include "tests/launch/support.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

using test::lines_of;

spec::Record record_of_c1() {
  spec::Record record;
  record.id = "c1";
  record.pid = 4242;
  record.bundle = "/bundle";
  return record;
}

spec::Spec frozen_with(std::vector<spec::Mount> mounts) {
  spec::Spec spec = test::ordinary_bundle().spec;
  spec.mounts = std::move(mounts);
  return spec;
}

TEST_CASE("mounts are added one by one below the root of the container's process", "[launch][mounts]") {
  const spec::Spec frozen = frozen_with({{.destination = "/a", .type = "tmpfs", .options = {"ro"}},
                                         {.destination = "/b", .source = "data", .options = {"bind"}}});
  const MountsPlan plan = plan_add_mounts(frozen, record_of_c1(), test::ordinary_host()).value();

  CHECK(plan.joins.pid_from_outside);
  CHECK(plan.lines == 2);
  CHECK(lines_of(plan.builder) ==
        std::vector<std::string>{
            "join_namespace source=\"of the container\" flags=mount slot=2",
            "open_root slot=3",
            "mount_filesystem target=/a type=tmpfs source=tmpfs flags=create_target   # /mounts/0",
            "say line=mounted   # /mounts/0",
            "bind target=/b source=/bundle/data flags=create_target|bind slot=4 propagation=slave   # "
            "/mounts/1",
            "say line=mounted   # /mounts/1",
            "set_attributes target=/a set=ro   # /mounts/0",
            "say line=ready",
        });
  CHECK(plan.builder.donations()[3].source == "/proc/4242/root");
}

TEST_CASE("in a user namespace mounts are made by its root", "[launch][mounts]") {
  spec::Spec frozen = frozen_with({{.destination = "/a", .type = "tmpfs"}});
  frozen.linux->namespaces.push_back({.type = spec::NamespaceType::user});
  const MountsPlan plan = plan_add_mounts(frozen, record_of_c1(), test::ordinary_host()).value();

  CHECK(lines_of(plan.builder)[0] == "join_namespace source=\"of the container\" flags=user|mount slot=2");
  CHECK(lines_of(plan.builder)[1] == "become_root");
}

TEST_CASE("an ordinary user makes mounts as a process of the container's pid namespace", "[launch][mounts]") {
  spec::Spec frozen = frozen_with({{.destination = "/a", .type = "tmpfs"}});
  frozen.linux->namespaces.push_back({.type = spec::NamespaceType::user});
  Host host = test::ordinary_host();
  host.privileged = false;
  host.euid = 1000;
  const MountsPlan plan = plan_add_mounts(frozen, record_of_c1(), host).value();

  CHECK(plan.joins.forks);
  CHECK_FALSE(plan.joins.pid_from_outside);
  CHECK(lines_of(plan.builder)[2] == "fork_init");
  CHECK(lines_of(plan.builder)[3] == "open_root slot=3");
}

TEST_CASE("mounts are removed last first", "[launch][mounts]") {
  const spec::Spec frozen = frozen_with({{.destination = "/a"}, {.destination = "/a/b"}});
  const MountsPlan plan = plan_remove_mounts(frozen, record_of_c1(), test::ordinary_host()).value();

  CHECK(plan.lines == 0);
  CHECK(lines_of(plan.builder) == std::vector<std::string>{
                                      "join_namespace source=\"of the container\" flags=mount slot=2",
                                      "open_root slot=3",
                                      "unmount target=/a/b   # /mounts/1",
                                      "unmount target=/a   # /mounts/0",
                                      "say line=ready",
                                  });
}

TEST_CASE("the host's own mount namespace is nobody's to change", "[launch][mounts]") {
  spec::Spec frozen = frozen_with({{.destination = "/a", .type = "tmpfs"}});
  frozen.linux->namespaces = {{.type = spec::NamespaceType::pid}};

  const auto added = plan_add_mounts(frozen, record_of_c1(), test::ordinary_host());
  REQUIRE_FALSE(added.has_value());
  CHECK(added.error().message() ==
        "the container has no mount namespace of its own, its mounts are the host's");
  CHECK_FALSE(plan_remove_mounts(frozen, record_of_c1(), test::ordinary_host()).has_value());
}

TEST_CASE("what is undone is what was mounted, and no remount or copied link", "[launch][mounts]") {
  const std::vector<spec::Mount> mounts = {{.destination = "/a"},
                                           {.destination = "/a", .options = {"remount", "ro"}},
                                           {.destination = "/b"},
                                           {.destination = "/c"}};
  const std::vector<spec::Mount> undo = plan_undo(mounts, {1, 1, 2});

  REQUIRE(undo.size() == 2);
  CHECK(undo[0].destination == "/a");
  CHECK(undo[1].destination == "/b");
  CHECK(plan_undo(mounts, {}).empty());
  CHECK(plan_undo(mounts, {0, 0, 0}).empty());
}

}  // namespace
}  // namespace capsule::launch
