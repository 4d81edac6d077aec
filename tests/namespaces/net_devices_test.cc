#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using testing::ordinary_host;
using testing::ordinary_spec;
using testing::rootless_host;

TEST_CASE("a device keeps its name unless it gets another one", "[namespaces][netdevices]") {
  spec::Spec spec = ordinary_spec();
  spec.linux->net_devices = {{"eth0", {}}, {"eth1", {"net%d"}}, {"a~b", {"c"}}};

  const auto moves = plan_net_devices(spec, ordinary_host());

  REQUIRE(moves.has_value());
  REQUIRE(moves.value().size() == 3);
  CHECK(moves.value()[0].field == "/linux/netDevices/a~0b");
  CHECK(moves.value()[1].name == "eth0");
  CHECK(moves.value()[2].host_name == "eth1");
  CHECK(moves.value()[2].name == "net%d");
}

TEST_CASE("network devices need privileges, none do not", "[namespaces][netdevices]") {
  spec::Spec spec = ordinary_spec();
  CHECK(plan_net_devices(spec, rootless_host()).value().empty());

  spec.linux->net_devices = {{"eth0", {}}};
  const auto refused = plan_net_devices(spec, rootless_host());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind() == ErrorKind::unsupported);
  CHECK(refused.error().message().starts_with(
      "/linux/netDevices: network devices are not supported for rootless containers"));
}

TEST_CASE("init pauses for network devices, and only for them", "[namespaces][netdevices]") {
  plan::Builder without;
  plan_net_device_steps({}, without);
  CHECK(testing::describe(without).empty());

  plan::Builder with;
  plan_net_device_steps({{"eth0", "eth0", "/linux/netDevices/eth0"}}, with);
  CHECK(testing::describe(with) ==
        "say line=namespaces_ready   # /linux/netDevices\n"
        "expect line=network_ready   # /linux/netDevices");
}

}  // namespace
}  // namespace capsule::ns
