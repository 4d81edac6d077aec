// What the verifier and the kernel make of our device programs.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "cgroups/device_program.h"
#include "runtime/base/sys.h"
#include "tests/cgroups/kernel_world.h"

namespace cgroups = capsule::cgroups;
namespace spec = capsule::spec;
using capsule::test::error_of;
using capsule::test::Guest;
using capsule::test::must;
using capsule::test::World;
using Catch::Matchers::Contains;

namespace {

constexpr int kMajor = 1;
constexpr int kMinor = 11;  // kmsg: everybody has it, no container by default

// A node that the test itself can open, in a directory of its own.
class Node {
 public:
  Node() {
    REQUIRE(::mkdtemp(directory_.data()) != nullptr);
    made_ = ::mknod(path().c_str(), S_IFCHR | 0600, makedev(kMajor, kMinor)) == 0;
    const int fd = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    opens_ = fd >= 0;
    if (opens_) ::close(fd);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    ::unlink(path().c_str());
    ::unlink(other().c_str());
    ::rmdir(directory_.c_str());
  }
  [[nodiscard]] bool is_usable() const { return made_ && opens_; }
  [[nodiscard]] std::string path() const { return directory_ + "/node"; }
  [[nodiscard]] std::string other() const { return directory_ + "/other"; }

 private:
  std::string directory_ = "/tmp/capsule-test-XXXXXX";
  bool made_ = false;
  bool opens_ = false;
};

cgroups::DeviceProgram plan(const std::vector<spec::DeviceRule>& rules) {
  return must(cgroups::plan_device_program(rules));
}

spec::DeviceRule allow_node(const char* access) {
  return {true, "c", kMajor, kMinor, access};
}

unsigned count_programs(capsule::FdRef cgroup) {
  bpf_attr query{};
  query.query.target_fd = static_cast<std::uint32_t>(cgroup.get());
  query.query.attach_type = BPF_CGROUP_DEVICE;
  REQUIRE(capsule::sys::bpf(BPF_PROG_QUERY, &query, sizeof(query)) == 0);
  return query.query.prog_cnt;
}

void attach_allowing_program(capsule::FdRef cgroup) {
  const std::array<bpf_insn, 2> instructions = {bpf_insn{BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                                                bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<std::uintptr_t>(instructions.data());
  load.insn_cnt = instructions.size();
  load.license = reinterpret_cast<std::uintptr_t>("Apache-2.0");
  const capsule::UniqueFd program(static_cast<int>(capsule::sys::bpf(BPF_PROG_LOAD, &load, sizeof(load))));
  REQUIRE(program.is_open());
  bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(cgroup.get());
  attach.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  REQUIRE(capsule::sys::bpf(BPF_PROG_ATTACH, &attach, sizeof(attach)) == 0);
}

}  // namespace

TEST_CASE("inside, only default devices and those of the rules can be opened", "[cgroups][devices]") {
  World world;
  const Node node;
  if (!node.is_usable()) {
    WARN("not run: device nodes cannot be made or opened in /tmp");
    return;
  }
  const cgroups::Cgroup cgroup = must(cgroups::Cgroup::create(world.facts, "/a", {}));
  Guest guest(cgroup.dir());
  CHECK(guest.open_errno(node.path()) == 0);

  must(cgroups::apply_device_program(plan({}), cgroup.dir()));
  CHECK(guest.open_errno(node.path()) == EPERM);
  CHECK(guest.open_errno("/dev/null") == 0);
  CHECK(guest.mknod_errno(node.other()) == 0);

  must(cgroups::apply_device_program(plan({{.allow = false, .access = "rwm"}, allow_node("r")}),
                                     cgroup.dir()));
  CHECK(guest.open_errno(node.path()) == 0);

  must(cgroups::apply_device_program(
      plan({{.allow = true, .access = "rwm"}, {false, "c", kMajor, kMinor, "r"}}), cgroup.dir()));
  CHECK(guest.open_errno(node.path()) == EPERM);

  must(cgroups::apply_device_program(plan({{.allow = true, .access = "rwm"}}), cgroup.dir()));
  CHECK(guest.open_errno(node.path()) == 0);
}

TEST_CASE("a new program takes the place of the old one", "[cgroups][devices]") {
  World world;
  const cgroups::Cgroup cgroup = must(cgroups::Cgroup::create(world.facts, "/a", {}));

  for (int round = 0; round < 70; ++round) {  // a cgroup takes 64 programs
    must(cgroups::apply_device_program(plan({allow_node("r")}), cgroup.dir()));
    if (count_programs(cgroup.dir()) != 1)
      FAIL(count_programs(cgroup.dir()) << " programs in round " << round);
  }

  must(cgroups::apply_device_program(plan({{.allow = true, .access = "rwm"}}), cgroup.dir()));
  CHECK(count_programs(cgroup.dir()) == 0);
}

TEST_CASE("of several programs that others attached, only ours remains", "[cgroups][devices]") {
  World world;
  const cgroups::Cgroup cgroup = must(cgroups::Cgroup::create(world.facts, "/a", {}));
  attach_allowing_program(cgroup.dir());
  attach_allowing_program(cgroup.dir());
  REQUIRE(count_programs(cgroup.dir()) == 2);

  must(cgroups::apply_device_program(plan({}), cgroup.dir()));

  CHECK(count_programs(cgroup.dir()) == 1);
  Guest guest(cgroup.dir());
  CHECK(guest.open_errno("/dev/null") == 0);
}

TEST_CASE("the verifier accepts programs of every shape", "[cgroups][devices]") {
  World world;
  const cgroups::Cgroup cgroup = must(cgroups::Cgroup::create(world.facts, "/a", {}));
  const spec::DeviceRule allow_all{.allow = true, .access = "rwm"};
  std::vector<std::vector<spec::DeviceRule>> shapes = {
      {allow_all, {false, "c", -1, -1, "rwm"}},
      {allow_all, {false, "c", -1, -1, "rwm"}, {false, "b", -1, -1, "rwm"}},
      {allow_all, {false, "b", -1, 3, "w"}, {true, "b", 8, -1, "rw"}},
      {{true, "c", -1, -1, "rwm"}, {true, "b", -1, -1, "rwm"}},
      {{false, "c", 8, 1, "rwm"}, {true, "c", -1, -1, "rwm"}},
      {{true, "c", 4095, 1048575, "rw"}, {false, "c", 4095, -1, "w"}},
      {},
  };
  for (std::int64_t minor = 0; minor < 500; ++minor)
    shapes.back().push_back({minor % 2 == 0, "b", 8, minor, "rw"});

  for (const auto& rules : shapes) {
    const cgroups::DeviceProgram program = plan(rules);
    INFO(cgroups::describe_device_program(program));
    CHECK(error_of(cgroups::apply_device_program(program, cgroup.dir())).empty());
  }
}

TEST_CASE("a refused program is reported with what the verifier said", "[cgroups][devices]") {
  World world;
  const cgroups::Cgroup cgroup = must(cgroups::Cgroup::create(world.facts, "/a", {}));
  cgroups::DeviceProgram broken;
  broken.instructions = {{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0 | BPF_REG_5 << 4, 0, 0},
                         {BPF_JMP | BPF_EXIT, 0, 0, 0}};

  const std::string error = error_of(cgroups::apply_device_program(broken, cgroup.dir()));

  CHECK_THAT(error, Contains("/linux/resources/devices: the verifier said \"") && Contains("R5 !read_ok") &&
                        Contains("bpf BPF_PROG_LOAD of the device program: "));
  CHECK(count_programs(cgroup.dir()) == 0);
}
