#include "runtime/process/security_label.h"

#include <fcntl.h>

#include <filesystem>

#include "runtime/base/sys.h"
#include "tests/process/steps.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule::process {
namespace {

using plan::StepKind;
using test::Steps;

constexpr const char* kLabel = "system_u:system_r:container_t:s0:c1,c2";

// A host's /proc and /sys, as far as they are looked at.
class Host {
 public:
  void write(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(root_.at(path)).parent_path());
    root_.write(path, content);
  }
  [[nodiscard]] SecurityModules probe(const LabelsAsked& asked) const {
    Result<UniqueFd> dir = sys::openat(FdRef::cwd(), root_.path().c_str(), O_PATH | O_DIRECTORY);
    REQUIRE(dir.has_value());
    Result<SecurityModules> modules = probe_security_modules(asked, dir.value());
    REQUIRE(modules.has_value());
    return std::move(modules).value();
  }

 private:
  test::Scratch root_;
};

constexpr LabelsAsked kAppArmor{.apparmor = true};
constexpr LabelsAsked kSelinux{.selinux = true};

// "file text" of each label step, or the error.
std::string planned(const spec::Process& process, const SecurityModules& modules) {
  plan::Builder builder;
  const Status status = plan_exec_labels(process, {.modules = &modules}, builder);
  if (!status.has_value()) return status.error().message();
  const Steps steps(builder);
  std::string labels;
  for (unsigned i = 0; steps.find<plan::SecurityLabel>(i) != nullptr; ++i) {
    const auto* step = steps.find<plan::SecurityLabel>(i);
    labels += steps.text(step->file) + " " + steps.text(step->text) + "\n";
  }
  return labels;
}

TEST_CASE("AppArmor is there if its module says Y", "[process][labels]") {
  const Host none;
  CHECK_FALSE(none.probe(kAppArmor).apparmor);

  const Host off;
  off.write("sys/module/apparmor/parameters/enabled", "N\n");
  CHECK_FALSE(off.probe(kAppArmor).apparmor);

  const Host on;
  on.write("sys/module/apparmor/parameters/enabled", "Y\n");
  on.write("proc/self/attr/apparmor/current", "unconfined\n");
  CHECK(on.probe(kAppArmor).apparmor);
  CHECK(on.probe(kAppArmor).apparmor_file == "attr/apparmor/exec");
  CHECK_FALSE(on.probe(kAppArmor).confined);
}

TEST_CASE("a process under a profile is confined", "[process][labels]") {
  const Host host;
  host.write("sys/module/apparmor/parameters/enabled", "Y\n");
  host.write("proc/self/attr/apparmor/current", "lxc-container-default (enforce)\n");

  CHECK(host.probe(kAppArmor).confined);
}

TEST_CASE("before Linux 5.8 the modules share one file", "[process][labels]") {
  const Host host;
  host.write("sys/module/apparmor/parameters/enabled", "Y\n");
  host.write("proc/self/attr/current", "a-profile (enforce)\n");

  CHECK(host.probe(kAppArmor).apparmor_file == "attr/exec");
  CHECK(host.probe(kAppArmor).confined);
}

TEST_CASE("SELinux is there if its file system is mounted and can be read", "[process][labels]") {
  const Host none;
  CHECK_FALSE(none.probe(kSelinux).selinux);

  const Host on;
  on.write("sys/fs/selinux/enforce", "0");
  CHECK(on.probe(kSelinux).selinux);
}

TEST_CASE("nothing is looked up that nobody asks for", "[process][labels]") {
  const Host host;
  host.write("sys/module/apparmor/parameters/enabled", "Y\n");
  host.write("sys/fs/selinux/enforce", "1");

  CHECK_FALSE(host.probe({}).apparmor);
  CHECK_FALSE(host.probe({}).selinux);
  CHECK_FALSE(host.probe(kSelinux).apparmor);
  CHECK_FALSE(host.probe(kAppArmor).selinux);
}

TEST_CASE("a label is asked for by the process or by the mounts, an empty one by nobody",
          "[process][labels]") {
  spec::Process process;
  spec::Linux linux;
  const auto asked = [&] { return labels_asked(&process, &linux); };

  process.apparmor_profile = "";
  process.selinux_label = "";
  linux.mount_label = "";
  CHECK_FALSE(asked().apparmor);
  CHECK_FALSE(asked().selinux);

  process.apparmor_profile = "docker-default";
  CHECK(asked().apparmor);
  CHECK_FALSE(asked().selinux);
  linux.mount_label = kLabel;
  CHECK(asked().selinux);
  linux.mount_label.reset();
  process.selinux_label = kLabel;
  CHECK(asked().selinux);
}

// Covers: /process/apparmorProfile
TEST_CASE("a profile is announced for the next exec", "[process][labels]") {
  spec::Process process;
  process.apparmor_profile = "docker-default";

  CHECK(planned(process, {.apparmor = true}) == "attr/apparmor/exec exec docker-default\n");
  CHECK(planned(process, {.apparmor = true, .apparmor_file = "attr/exec"}) ==
        "attr/exec exec docker-default\n");
}

TEST_CASE("a profile is stacked only where no_new_privs forbids to leave the one in force",
          "[process][labels]") {
  spec::Process process;
  process.apparmor_profile = "docker-default";
  struct Case {
    bool no_new_privileges, confined;
    const char* text;
  };
  for (const Case& c : {Case{false, false, "exec docker-default"}, Case{false, true, "exec docker-default"},
                        Case{true, false, "exec docker-default"}, Case{true, true, "stack docker-default"}}) {
    INFO(c.no_new_privileges << c.confined);
    process.no_new_privileges = c.no_new_privileges;
    CHECK(planned(process, {.apparmor = true, .confined = c.confined}) ==
          std::string("attr/apparmor/exec ") + c.text + "\n");
  }
}

// Covers: /process/selinuxLabel
TEST_CASE("the SELinux label goes as it is", "[process][labels]") {
  spec::Process process;
  process.selinux_label = kLabel;

  CHECK(planned(process, {.selinux = true}) == "attr/exec system_u:system_r:container_t:s0:c1,c2\n");
}

TEST_CASE("the keyrings get the process's SELinux label", "[process][labels]") {
  spec::Process process;
  const SecurityModules modules{.selinux = true};
  plan::Builder none, one;

  REQUIRE(plan_key_label(process, {.modules = &modules}, none).has_value());
  process.selinux_label = kLabel;
  REQUIRE(plan_key_label(process, {.modules = &modules}, one).has_value());

  CHECK(Steps(none).kinds().empty());
  const Steps steps(one);
  REQUIRE(steps.kinds() == std::vector<StepKind>{StepKind::security_label});
  CHECK(steps.text(steps.find<plan::SecurityLabel>()->file) == "attr/keycreate");
  CHECK(steps.text(steps.find<plan::SecurityLabel>()->text) == kLabel);
}

TEST_CASE("a label that would not be applied is refused", "[process][labels]") {
  spec::Process profile, label;
  profile.apparmor_profile = "docker-default";
  label.selinux_label = kLabel;

  const std::string no_apparmor = planned(profile, {.selinux = true});
  const std::string no_selinux = planned(label, {.apparmor = true});

  CHECK(no_apparmor ==
        "/process/apparmorProfile: the profile \"docker-default\" cannot be applied: "
        "AppArmor is not enabled on this host "
        "(/sys/module/apparmor/parameters/enabled)");
  CHECK(no_selinux ==
        "/process/selinuxLabel: the label cannot be applied: SELinux is not enabled on "
        "this host (/sys/fs/selinux/enforce)");
}

TEST_CASE("without AppArmor everybody is unconfined, so that is no reason to refuse", "[process][labels]") {
  spec::Process process;
  process.apparmor_profile = "unconfined";

  CHECK(planned(process, {}).empty());
  CHECK(planned(process, {.apparmor = true}) == "attr/apparmor/exec exec unconfined\n");
}

TEST_CASE("a mount label needs SELinux, and is no two strings", "[process][labels]") {
  const auto message = [](const std::optional<std::string>& text, const SecurityModules& modules) {
    const Status status = check_mount_label(text, modules);
    return status.has_value() ? std::string() : status.error().message();
  };

  CHECK(message(kLabel, {.selinux = true}).empty());
  CHECK(message({}, {}).empty());
  CHECK(message("", {}).empty());
  CHECK(message(kLabel, {}).starts_with("/linux/mountLabel: the label cannot be applied: SELinux is not"));
  CHECK(message(std::string("a\0b", 3), {.selinux = true}) == "/linux/mountLabel: label contains null byte");
}

}  // namespace
}  // namespace capsule::process
