#include "runtime/base/kernel_abi.h"
#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

using spec::NamespaceType;
using testing::add_namespace;

std::string steps_of(const spec::Spec& spec, bool privileged = false) {
  const Result<NamespaceSet> set = plan_namespaces(spec, privileged);
  if (!set.has_value()) return "error: " + set.error().message();
  plan::Builder builder;
  plan_namespace_steps(set.value(), spec, builder);
  plan_loopback(set.value(), builder);
  return testing::describe(builder);
}

NamespaceSet set_of(const spec::Spec& spec, bool privileged = false) {
  Result<NamespaceSet> set = plan_namespaces(spec, privileged);
  REQUIRE(set.has_value());
  return std::move(set).value();
}

spec::Spec empty_spec() {
  spec::Spec spec;
  spec.linux.emplace();
  return spec;
}

TEST_CASE("every type has its flag and its names", "[namespaces][set]") {
  struct Case {
    NamespaceType type;
    std::uint64_t flag;
    std::string name, proc_name;
  };
  const Case cases[] = {
      {NamespaceType::pid, 0x20000000, "pid", "pid"},
      {NamespaceType::network, 0x40000000, "network", "net"},
      {NamespaceType::mount, 0x00020000, "mount", "mnt"},
      {NamespaceType::ipc, 0x08000000, "ipc", "ipc"},
      {NamespaceType::uts, 0x04000000, "uts", "uts"},
      {NamespaceType::user, 0x10000000, "user", "user"},
      {NamespaceType::cgroup, 0x02000000, "cgroup", "cgroup"},
      {NamespaceType::time, 0x00000080, "time", "time"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(clone_flag_of(c.type) == c.flag);
    CHECK(name_of(c.type) == c.name);
    CHECK(proc_name_of(c.type) == c.proc_name);
  }
}

TEST_CASE("an ordinary container is made by one clone", "[namespaces][set]") {
  const NamespaceSet set = set_of(testing::ordinary_spec());

  CHECK(set.clone_flags == (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS));
  CHECK(set.unshare_flags == 0);
  CHECK_FALSE(set.forks());
  CHECK(set.has_pid);
  CHECK(set.has_mount);
  CHECK(set.new_network);
  CHECK_FALSE(set.has_user);
  CHECK(steps_of(testing::ordinary_spec()) == "loopback_up   # /linux/namespaces");
}

TEST_CASE("a container without namespaces shares everything", "[namespaces][set]") {
  spec::Spec spec;
  CHECK(steps_of(spec).empty());
  CHECK(set_of(spec).clone_flags == 0);
  CHECK_FALSE(set_of(spec).has_mount);
}

TEST_CASE("new mounts or a new network are made ahead, with what else unshare can make",
          "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::uts);
  add_namespace(spec, NamespaceType::pid);
  add_namespace(spec, NamespaceType::cgroup);
  CHECK(flags_made_ahead(spec.linux->namespaces) == 0);

  add_namespace(spec, NamespaceType::network);
  CHECK(flags_made_ahead(spec.linux->namespaces) == (CLONE_NEWNET | CLONE_NEWUTS));

  add_namespace(spec, NamespaceType::mount, "/proc/1/ns/mnt");
  CHECK(flags_made_ahead(spec.linux->namespaces) == (CLONE_NEWNET | CLONE_NEWUTS));

  spec::Spec pod = empty_spec();
  add_namespace(pod, NamespaceType::mount);
  add_namespace(pod, NamespaceType::ipc, "/proc/1/ns/ipc");
  add_namespace(pod, NamespaceType::network, "/proc/1/ns/net");
  CHECK(flags_made_ahead(pod.linux->namespaces) == CLONE_NEWNS);
}

TEST_CASE("nothing is made ahead that belongs to a user namespace, or beside a joined pid namespace",
          "[namespaces][set]") {
  for (const NamespaceType type : {NamespaceType::user, NamespaceType::pid, NamespaceType::network}) {
    spec::Spec spec = empty_spec();
    if (type != NamespaceType::network) add_namespace(spec, NamespaceType::network);
    add_namespace(spec, type, "/proc/1/ns/of");
    CHECK(flags_made_ahead(spec.linux->namespaces) == 0);
  }
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::network);
  add_namespace(spec, NamespaceType::user);
  CHECK(flags_made_ahead(spec.linux->namespaces) == 0);
}

TEST_CASE("a cgroup namespace is made inside, since it is rooted at the cgroup of whoever makes it",
          "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::cgroup);
  add_namespace(spec, NamespaceType::uts);

  CHECK(set_of(spec).clone_flags == CLONE_NEWUTS);
  CHECK(steps_of(spec) == "unshare flags=cgroup   # /linux/namespaces");
}

TEST_CASE("a new user namespace is made by the same clone as the others", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  testing::add_user_namespace(spec);
  add_namespace(spec, NamespaceType::mount);
  add_namespace(spec, NamespaceType::cgroup);

  const NamespaceSet set = set_of(spec);

  CHECK(set.clone_flags == (CLONE_NEWUSER | CLONE_NEWNS));
  CHECK(set.unshare_flags == CLONE_NEWCGROUP);
  CHECK(set.has_user);
  CHECK(set.new_user);
  CHECK_FALSE(set.forks());
}

TEST_CASE("namespaces are joined through donated descriptors, the mount namespace last",
          "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::mount, "/n/mnt");
  add_namespace(spec, NamespaceType::network, "/n/net");
  add_namespace(spec, NamespaceType::time, "/n/time");
  add_namespace(spec, NamespaceType::uts);

  CHECK(steps_of(spec) ==
        "join_namespace source=/n/net flags=network slot=2   # /linux/namespaces/1\n"
        "join_namespace source=/n/time flags=time slot=3   # /linux/namespaces/2\n"
        "join_namespace source=/n/mnt flags=mount slot=4   # /linux/namespaces/0");
  CHECK(set_of(spec).clone_flags == CLONE_NEWUTS);
  CHECK_FALSE(set_of(spec).new_network);

  plan::Builder builder;
  plan_namespace_steps(set_of(spec), spec, builder);
  const plan::Donation& first = builder.donations()[plan::kFirstFreeSlot];
  CHECK(first.kind == plan::Donation::Kind::name_space);
  CHECK(first.source == "/n/net");
  CHECK(first.clone_flag == CLONE_NEWNET);
  CHECK(first.field == "/linux/namespaces/1");
}

TEST_CASE("what is new belongs to a user namespace that is joined", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  for (const auto type :
       {NamespaceType::pid, NamespaceType::network, NamespaceType::mount, NamespaceType::cgroup}) {
    add_namespace(spec, type);
  }
  add_namespace(spec, NamespaceType::user, "/n/user");

  const NamespaceSet set = set_of(spec);

  CHECK(set.clone_flags == 0);
  CHECK(set.forks());
  CHECK(steps_of(spec) ==
        "join_namespace source=/n/user flags=user slot=2   # /linux/namespaces/4\n"
        "become_root   # /linux/namespaces/4\n"
        "fork_init flags=pid   # /linux/namespaces\n"
        "unshare flags=network|mount|cgroup   # /linux/namespaces\n"
        "loopback_up   # /linux/namespaces");
}

TEST_CASE("root joins a user namespace last, others first", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::user, "/n/user");
  add_namespace(spec, NamespaceType::mount, "/n/mnt");
  add_namespace(spec, NamespaceType::network, "/n/net");
  const std::string become_root = "become_root   # /linux/namespaces/0";

  CHECK(steps_of(spec, true) ==
        "join_namespace source=/n/net flags=network slot=2   # /linux/namespaces/2\n"
        "join_namespace source=/n/mnt flags=mount slot=3   # /linux/namespaces/1\n"
        "join_namespace source=/n/user flags=user slot=4   # /linux/namespaces/0\n" +
            become_root);
  CHECK(steps_of(spec, false) ==
        "join_namespace source=/n/user flags=user slot=2   # /linux/namespaces/0\n" + become_root +
            "\n"
            "join_namespace source=/n/net flags=network slot=3   # /linux/namespaces/2\n"
            "join_namespace source=/n/mnt flags=mount slot=4   # /linux/namespaces/1");
}

TEST_CASE("a new user namespace beside joined ones is made after joining them", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::network, "/n/net");
  add_namespace(spec, NamespaceType::pid);
  add_namespace(spec, NamespaceType::cgroup);
  testing::add_user_namespace(spec);

  CHECK(set_of(spec, true).clone_flags == 0);
  CHECK(steps_of(spec, true) ==
        "join_namespace source=/n/net flags=network slot=2   # /linux/namespaces/0\n"
        "fork_init flags=user|pid   # /linux/namespaces\n"
        "expect line=maps_written   # /linux/uidMappings\n"
        "become_root   # /linux/uidMappings\n"
        "unshare flags=cgroup   # /linux/namespaces");
}

TEST_CASE("a pid namespace is joined by the host side before the clone", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::pid, "/n/pid");
  add_namespace(spec, NamespaceType::ipc);

  const NamespaceSet set = set_of(spec);

  CHECK(set.pid_path == "/n/pid");
  CHECK(set.has_pid);
  CHECK(set.joins.empty());
  CHECK(set.clone_flags == CLONE_NEWIPC);
  CHECK_FALSE(set.forks());
}

TEST_CASE("a pid namespace of a joined user namespace is joined from inside it unless root can do it before",
          "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::pid, "/n/pid");
  add_namespace(spec, NamespaceType::user, "/n/user");

  CHECK(set_of(spec, true).pid_path == "/n/pid");
  CHECK_FALSE(set_of(spec, true).forks());

  CHECK(set_of(spec, false).pid_path.empty());
  CHECK(set_of(spec, false).forks());
  CHECK(steps_of(spec, false) ==
        "join_namespace source=/n/user flags=user slot=2   # /linux/namespaces/1\n"
        "become_root   # /linux/namespaces/1\n"
        "join_namespace source=/n/pid flags=pid slot=3   # /linux/namespaces/0\n"
        "fork_init   # /linux/namespaces");
}

TEST_CASE("a time namespace is made with its offsets", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::time);
  CHECK(steps_of(spec) == "new_time_namespace   # /linux/namespaces");

  spec.linux->time_offsets = {{"monotonic", {.secs = -10, .nanosecs = 5}}, {"boottime", {.secs = 86400}}};
  CHECK(set_of(spec).clone_flags == 0);
  CHECK(steps_of(spec) ==
        "new_time_namespace offsets=\"boottime 86400 0\\nmonotonic -10 5\\n\"   # /linux/timeOffsets");
}

TEST_CASE("namespaces that contradict each other are refused", "[namespaces][set]") {
  struct Case {
    spec::Spec spec;
    std::string message, because;
  };
  std::vector<Case> cases;
  const auto add = [&](const std::string& because, const std::string& message) -> spec::Spec& {
    return cases.emplace_back(Case{empty_spec(), message, because}).spec;
  };
  {
    spec::Spec& s = add("twice", "/linux/namespaces/2: malformed spec file: duplicated ns \"network\"");
    add_namespace(s, NamespaceType::network);
    add_namespace(s, NamespaceType::uts);
    add_namespace(s, NamespaceType::network, "/n/net");
  }
  add_namespace(add("relative", "/linux/namespaces/0/path: must be absolute"), NamespaceType::ipc, "n/ipc");
  add_namespace(add("NUL", "/linux/namespaces/0/path: path contains null byte"), NamespaceType::ipc,
                std::string("/n\0x", 4));
  add_namespace(add("no maps",
                    "/linux/uidMappings: user namespaces enabled, but no namespace path to join nor mappings "
                    "to apply specified"),
                NamespaceType::user);
  {
    spec::Spec& s = add("half the maps", "/linux/gidMappings: is needed beside uidMappings");
    testing::add_user_namespace(s);
    s.linux->gid_mappings.clear();
  }
  {
    spec::Spec& s = add("the other half", "/linux/uidMappings: is needed beside gidMappings");
    testing::add_user_namespace(s);
    s.linux->uid_mappings.clear();
  }
  add("maps for nobody",
      "/linux/gidMappings: user namespace mappings specified, but user namespace isn't enabled in the config")
      .linux->gid_mappings = {{.container_id = 0, .host_id = 1, .size = 1}};
  add("offsets for nobody",
      "/linux/timeOffsets: time namespace offsets specified, but time namespace isn't enabled in the config")
      .linux->time_offsets = {{"monotonic", {.secs = 1}}};
  {
    spec::Spec& s = add("offsets of somebody else",
                        "/linux/timeOffsets: time namespace enabled, but both namespace path and time "
                        "offsets specified -- you "
                        "may only provide one");
    add_namespace(s, NamespaceType::time, "/n/time");
    s.linux->time_offsets = {{"monotonic", {.secs = 1}}};
  }
  {
    spec::Spec& s =
        add("a clock without namespace", "/linux/timeOffsets/realtime: must be monotonic or boottime");
    add_namespace(s, NamespaceType::time);
    s.linux->time_offsets = {{"realtime", {.secs = 1}}};
  }
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(steps_of(c.spec) == "error: " + c.message);
  }
}

TEST_CASE("mappings beside a joined user namespace are its own business", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  add_namespace(spec, NamespaceType::user, "/n/user");
  spec.linux->uid_mappings = {{.container_id = 0, .host_id = 1, .size = 1}};

  CHECK_FALSE(steps_of(spec).starts_with("error"));
  CHECK_FALSE(set_of(spec).new_user);
}

TEST_CASE("an empty path asks for a new namespace", "[namespaces][set]") {
  spec::Spec spec = empty_spec();
  spec.linux->namespaces = {{.type = NamespaceType::uts, .path = ""}};
  CHECK(set_of(spec).clone_flags == CLONE_NEWUTS);
}

}  // namespace
}  // namespace capsule::ns
