#include <sys/stat.h>

#include "runtime/base/text.h"
#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

spec::Device device(std::string type, std::string path, std::int64_t major, std::int64_t minor) {
  spec::Device d;
  d.type = std::move(type);
  d.path = std::move(path);
  d.major = major;
  d.minor = minor;
  return d;
}

std::string planned_devices(const spec::Spec& spec, const HostFacts& host = testing::ordinary_host()) {
  return testing::planned(plan_devices, spec, host);
}

// The one line for `path`, or "".
std::string line_for(const std::string& text, const std::string& path) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.find(" target=" + path + " ") != std::string_view::npos) return std::string(line);
  }
  return {};
}

TEST_CASE("root of a user namespace binds devices, since it cannot make them", "[namespaces][devices]") {
  HostFacts host = testing::ordinary_host();
  host.in_user_namespace = true;

  CHECK(line_for(planned_devices(testing::ordinary_spec(), host), "/dev/null") ==
        "device_node target=/dev/null mode=020666 flags=1 major=1 minor=3 uid=0 gid=0");
}

TEST_CASE("every container has the default devices and links", "[namespaces][devices]") {
  CHECK(planned_devices(testing::ordinary_spec()) ==
        "open_dev\n"
        "device_node target=/dev/null mode=020666 flags=0 major=1 minor=3 uid=0 gid=0\n"
        "device_node target=/dev/zero mode=020666 flags=0 major=1 minor=5 uid=0 gid=0\n"
        "device_node target=/dev/full mode=020666 flags=0 major=1 minor=7 uid=0 gid=0\n"
        "device_node target=/dev/tty mode=020666 flags=0 major=5 minor=0 uid=0 gid=0\n"
        "device_node target=/dev/random mode=020666 flags=0 major=1 minor=8 uid=0 gid=0\n"
        "device_node target=/dev/urandom mode=020666 flags=0 major=1 minor=9 uid=0 gid=0\n"
        "symlink target=/dev/fd value=/proc/self/fd\n"
        "symlink target=/dev/stdin value=/proc/self/fd/0\n"
        "symlink target=/dev/stdout value=/proc/self/fd/1\n"
        "symlink target=/dev/stderr value=/proc/self/fd/2\n"
        "symlink target=/dev/core value=/proc/kcore\n"
        "symlink target=/dev/ptmx value=pts/ptmx replace=1");
}

TEST_CASE("listed devices become nodes", "[namespaces][devices]") {
  spec::Device owned = device("c", "/dev/fuse", 10, 229);
  owned.file_mode = S_IFBLK | 0640;
  owned.uid = 5;
  owned.gid = 6;
  spec::Device fifo;
  fifo.type = "p";
  fifo.path = "/run/pipe";

  struct Case {
    spec::Device entry;
    std::string line, because;
  };
  const Case cases[] = {
      {owned, "device_node target=/dev/fuse mode=020640 flags=0 major=10 minor=229 uid=5 gid=6",
       "mode without its type bits, owner"},
      {device("u", "/dev/raw", 162, 0),
       "device_node target=/dev/raw mode=020666 flags=0 major=162 minor=0 uid=0 gid=0",
       "u is an unbuffered character device: c"},
      {device("b", "/dev//vda/", 254, 0),
       "device_node target=/dev/vda mode=060666 flags=0 major=254 minor=0 uid=0 gid=0",
       "a block device, its path cleaned"},
      {fifo, "device_node target=/run/pipe mode=010666 flags=0 major=0 minor=0 uid=0 gid=0",
       "a fifo has no numbers"},
      {device("c", "/opt/x", 4095, 1048575),
       "device_node target=/opt/x mode=020666 flags=0 major=4095 minor=1048575 uid=0 gid=0",
       "the highest numbers, outside /dev"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.linux->devices = {c.entry};
    const std::string path = c.line.substr(19, c.line.find(' ', 19) - 19);
    CHECK(line_for(planned_devices(spec), path) == c.line + "   # /linux/devices/0");
  }
}

TEST_CASE("devices that cannot be made are refused", "[namespaces][devices]") {
  spec::Device no_major = device("c", "/dev/x", 1, 1);
  no_major.major.reset();
  spec::Device no_minor = device("b", "/dev/x", 1, 1);
  no_minor.minor.reset();
  using namespace std::string_literals;

  struct Case {
    spec::Device entry;
    std::string message, because;
  };
  const Case cases[] = {
      {no_major, "/linux/devices/0/major: is needed for a device of this type", "which device?"},
      {no_minor, "/linux/devices/0/minor: is needed for a device of this type", "which device?"},
      {device("c", "/dev/x", -1, 0), "/linux/devices/0/major: must be between 0 and 4095",
       "a wildcard is for cgroup rules"},
      {device("c", "/dev/x", 4096, 0), "/linux/devices/0/major: must be between 0 and 4095",
       "the kernel would cut it to 0"},
      {device("c", "/dev/x", 1, 1048576), "/linux/devices/0/minor: must be between 0 and 1048575",
       "and this one"},
      {device("a", "/dev/x", 1, 1),
       "/linux/devices/0/type: \"a\" is not a device type, must be one of c, b, u, p", "for rules only"},
      {device("c", "dev/x", 1, 1), "/linux/devices/0/path: must be absolute", "relative"},
      {device("c", "/dev/..", 1, 1), "/linux/devices/0/path: \"/dev/..\" is the top of the rootfs",
       "nowhere to put it"},
      {device("c", "/dev/x\0y"s, 1, 1), "/linux/devices/0/path: path contains null byte",
       "cut short by the kernel"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.linux->devices = {c.entry};
    CHECK(planned_devices(spec) == "error: " + c.message);
  }
}

TEST_CASE("a listed device replaces the default of the same path", "[namespaces][devices]") {
  spec::Spec spec = testing::ordinary_spec();
  spec.linux->devices = {device("c", "/dev/./tty", 4, 1)};

  const std::string text = planned_devices(spec);

  CHECK(text.find("major=5") == std::string::npos);
  CHECK(line_for(text, "/dev/tty") ==
        "device_node target=/dev/tty mode=020666 flags=0 major=4 minor=1 uid=0 gid=0   # /linux/devices/0");
}

TEST_CASE("user namespaces bind the host's nodes, but make their own fifos", "[namespaces][devices]") {
  spec::Spec spec = testing::ordinary_spec();
  spec::Device fifo;
  fifo.type = "p";
  fifo.path = "/run/pipe";
  spec.linux->devices = {fifo};
  const std::string bound = "device_node target=/dev/null mode=020666 flags=1 major=1 minor=3 uid=0 gid=0";

  SECTION("new") {
    testing::add_user_namespace(spec);
  }
  SECTION("joined") {
    testing::add_namespace(spec, spec::NamespaceType::user, "/proc/1/ns/user");
  }

  CHECK(line_for(planned_devices(spec), "/dev/null") == bound);
  CHECK(line_for(planned_devices(spec), "/run/pipe") ==
        "device_node target=/run/pipe mode=010666 flags=0 major=0 minor=0 uid=0 gid=0   # /linux/devices/0");
}

TEST_CASE("without privileges nodes are bound too", "[namespaces][devices]") {
  CHECK(line_for(planned_devices(testing::ordinary_spec(), testing::rootless_host()), "/dev/zero") ==
        "device_node target=/dev/zero mode=020666 flags=1 major=1 minor=5 uid=0 gid=0");
}

TEST_CASE("a /dev that is bound from the host is left alone", "[namespaces][devices]") {
  struct Case {
    spec::Mount mount;
    bool left_alone;
    std::string because;
  };
  const Case cases[] = {
      {testing::mount_of("/dev/", "bind", "/dev", {"rbind"}), true, "bound, however it is spelled"},
      {testing::mount_of("/dev", "bind", "/dev", {}), true, "bound by type"},
      {testing::mount_of("/dev", "tmpfs", "tmpfs", {}), false, "a tmpfs is ours to fill"},
      {testing::mount_of("/dev/shm", "bind", "/dev/shm", {"bind"}), false, "only something in it is bound"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.mounts = {c.mount};
    CHECK(planned_devices(spec).empty() == c.left_alone);
  }
}

}  // namespace
}  // namespace capsule::ns
