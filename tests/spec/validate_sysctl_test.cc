// linux.sysctl: nothing may reach the host.
#include "tests/spec/linux_checks.h"

using namespace capsule::spec;

TEST_CASE("a sysctl outside a namespace of the container's own is refused", "[spec][validate][sysctl]") {
  const auto sysctl = [](const char* name) { return [name](Linux& l) { l.sysctl[name] = "1"; }; };
  const auto in_uts = [](const char* name) {
    return [name](Linux& l) {
      add(l, NamespaceType::uts);
      l.sysctl[name] = "1";
    };
  };
  check_all({
      {sysctl("kernel.msgmax"),
       "/linux/sysctl/kernel.msgmax: sysctl \"kernel.msgmax\" is not allowed in the hosts ipc namespace",
       "runc's words"},
      {sysctl("fs.mqueue.msg_max"),
       "/linux/sysctl/fs.mqueue.msg_max: sysctl \"fs.mqueue.msg_max\" is not allowed in the hosts ipc "
       "namespace",
       "runc's words"},
      {sysctl("net.core.somaxconn"),
       "/linux/sysctl/net.core.somaxconn: sysctl \"net.core.somaxconn\" not allowed in host network "
       "namespace",
       "runc's words"},
      {sysctl("net/core/somaxconn"),
       "/linux/sysctl/net~1core~1somaxconn: sysctl \"net.core.somaxconn\" not allowed in host network "
       "namespace",
       "sysctl(8)"},
      {sysctl("user.max_net_namespaces"),
       "/linux/sysctl/user.max_net_namespaces: setting ucounts without a user namespace not allowed: "
       "user.max_net_namespaces",
       "runc's words"},
      {sysctl("vm.swappiness"),
       "/linux/sysctl/vm.swappiness: sysctl \"vm.swappiness\" is not in a separate kernel namespace",
       "runc's words"},
      {sysctl("kernel.hostname"),
       "/linux/sysctl/kernel.hostname: sysctl \"kernel.hostname\" is not in a separate kernel namespace",
       "it would rename the host"},
      {in_uts("kernel.hostname"),
       "/linux/sysctl/kernel.hostname: sysctl \"kernel.hostname\" is not allowed as it conflicts with the "
       "OCI \"hostname\" field",
       "runc's words"},
      {sysctl("kernel.domainname"),
       "/linux/sysctl/kernel.domainname: sysctl \"kernel.domainname\" is not in a separate kernel namespace",
       "the host's"},
  });
  CHECK(message_with(in_uts("kernel.domainname")).empty());
  CHECK(message_with(in_uts("kernel/domainname")).empty());
}

TEST_CASE("a sysctl name cannot climb out of its branch", "[spec][validate][sysctl]") {
  for (const char* name : {"net/../kernel/sysrq", "net.//.kernel.sysrq", "net..x", "net./.x", "net.", "net/",
                           "net//x", "", ".net.x"}) {
    INFO(name);
    const std::string message = message_with([name](Linux& l) {
      add(l, NamespaceType::network);
      l.sysctl[name] = "1";
    });
    CHECK(message.find("is not the name of a kernel parameter") != std::string::npos);
  }
}

TEST_CASE("a sysctl in a namespace of the container's own is allowed", "[spec][validate][sysctl]") {
  Spec spec = minimal_spec();
  map_ids(*spec.linux);
  add(*spec.linux, NamespaceType::ipc);
  add(*spec.linux, NamespaceType::network, "/run/netns/a");
  spec.linux->sysctl = {{"kernel.shm_rmid_forced", "1"},
                        {"fs/mqueue/queues_max", "1"},
                        {"net.ipv4.ip_forward", "1"},
                        {"user.max_ipc_namespaces", "1"},
                        {"net/ipv4/conf/eth0.1/forwarding", "1"}};
  CHECK(message_of(validate(spec)).empty());
}

TEST_CASE("the domain name is set by field or by sysctl, not by both", "[spec][validate][sysctl]") {
  Spec spec = minimal_spec();
  add(*spec.linux, NamespaceType::uts);
  spec.linux->sysctl["kernel.domainname"] = "a";
  spec.domainname = "b";
  CHECK(message_of(validate(spec)) ==
        "/linux/sysctl/kernel.domainname: sysctl \"kernel.domainname\" is not allowed as it conflicts with "
        "the OCI "
        "\"domainname\" field");
}
