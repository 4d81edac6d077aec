#include "namespaces/propagation.h"

#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

TEST_CASE("the root gets its final propagation after the pivot", "[namespaces][propagation]") {
  struct Case {
    std::string propagation, after, because;
  };
  const std::string set = "\nset_attributes target=/ ";
  const Case cases[] = {
      {"", "", "stays a slave"},
      {"slave", "", "is one already"},
      {"rslave", "", "is one already"},
      {"private", "", "is private already"},
      {"rprivate", "", "is private already"},
      {"shared", set + "propagation=shared", "could not be before"},
      {"rshared", set + "recursive_propagation=shared", "with all that is mounted in it"},
      {"unbindable", set + "propagation=unbindable", "the root alone"},
      {"runbindable", set + "recursive_propagation=unbindable", "with all that is mounted in it"},
  };
  for (const Case& c : cases) {
    INFO(c.because << ": " << c.propagation);
    spec::Spec spec = testing::ordinary_spec();
    if (!c.propagation.empty()) spec.linux->rootfs_propagation = c.propagation;
    const std::string expected =
        c.after.empty() ? "pivot" : "pivot" + c.after + "   # /linux/rootfsPropagation";
    CHECK(testing::planned(plan_pivot, spec, testing::ordinary_host()) == expected);
  }
}

TEST_CASE("an unknown propagation is refused wherever it matters", "[namespaces][propagation]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->rootfs_propagation = "both";
  const std::string expected = "error: /linux/rootfsPropagation: rootfsPropagation=both is not supported";

  CHECK(testing::planned(plan_root, spec, testing::ordinary_host()) == expected);
  CHECK(testing::planned(plan_mounts, spec, testing::ordinary_host()) == expected);
  CHECK(testing::planned(plan_pivot, spec, testing::ordinary_host()) == expected);
}

TEST_CASE("a spec without a linux section has the defaults", "[namespaces][propagation]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux.reset();

  CHECK(parse_propagation(spec).has_value());
  CHECK(root_mode(spec, testing::ordinary_host()) == plan::RootMode::plain);
}

}  // namespace
}  // namespace capsule::ns
