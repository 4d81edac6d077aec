#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

std::string planned_parameters(const spec::Spec& spec) {
  const auto planner = [](const spec::Spec& s, const HostFacts&, plan::Builder& b) {
    return plan_kernel_parameters(s, b);
  };
  return testing::planned(planner, spec, testing::ordinary_host());
}

TEST_CASE("names and sysctls become steps", "[namespaces][sysctl]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.hostname = "box";
  spec.domainname = "example.org";
  spec.linux->sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.msgmax", "65536"}};

  CHECK(planned_parameters(spec) ==
        "hostname name=box   # /hostname\n"
        "domainname name=example.org   # /domainname\n"
        "sysctl path=kernel/msgmax value=65536   # /linux/sysctl/kernel.msgmax\n"
        "sysctl path=net/ipv4/ip_forward value=1   # /linux/sysctl/net.ipv4.ip_forward");
}

TEST_CASE("names that are absent or empty change nothing", "[namespaces][sysctl]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.hostname = "";
  CHECK(planned_parameters(spec).empty());
  spec.linux.reset();
  CHECK(planned_parameters(spec).empty());
}

TEST_CASE("the first separator of a sysctl's name decides what separates", "[namespaces][sysctl]") {
  struct Case {
    std::string name, step, because;
  };
  const Case cases[] = {
      {"net.ipv4.conf.eth0/1.forwarding",
       "sysctl path=net/ipv4/conf/eth0.1/forwarding value=1   # "
       "/linux/sysctl/net.ipv4.conf.eth0~11.forwarding",
       "dots separate, a slash is a dot"},
      {"net/ipv4/conf/eth0.1/forwarding",
       "sysctl path=net/ipv4/conf/eth0.1/forwarding value=1   # "
       "/linux/sysctl/net~1ipv4~1conf~1eth0.1~1forwarding",
       "slashes separate, a dot is a dot"},
      {"single", "sysctl path=single value=1   # /linux/sysctl/single", "nothing to separate"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.linux->sysctl = {{c.name, "1"}};
    CHECK(planned_parameters(spec) == c.step);
  }
}

TEST_CASE("a sysctl's name never leaves /proc/sys", "[namespaces][sysctl]") {
  for (const std::string name :
       {"net/../kernel/core_pattern", "net/./x", "net..x", "net.", ".net", "/net/x", "../x", ""}) {
    INFO(name);
    spec::Spec spec = testing::ordinary_spec();
    spec.linux->sysctl = {{name, "1"}};
    CHECK(planned_parameters(spec).find("does not name a kernel parameter") != std::string::npos);
  }
}

TEST_CASE("values of sysctls are whole", "[namespaces][sysctl]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->sysctl = {{"kernel.sem", std::string("1\0002", 3)}};
  CHECK(planned_parameters(spec) == "error: /linux/sysctl/kernel.sem: value contains null byte");
  spec.linux->sysctl = {{"kernel.sem", "250 32000 100 128"}};
  CHECK(planned_parameters(spec) ==
        "sysctl path=kernel/sem value=\"250 32000 100 128\"   # /linux/sysctl/kernel.sem");
}

}  // namespace
}  // namespace capsule::ns
