// Labels are written to the process's own files of the host's procfs. No security module need be there for
// this: "comm" is a file beside theirs that says what was written, and without a module theirs say EINVAL.
#include <sys/mount.h>
#include <sys/prctl.h>

#include <array>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

std::string perform(const std::string& file, const std::string& value) {
  plan::Builder builder;
  builder.add("/process/selinuxLabel",
              plan::SecurityLabel{.file = builder.text(file), .text = builder.text(value)});
  return Performance(builder).perform();
}

std::string own_name() {
  std::array<char, 17> name{};
  ::prctl(PR_GET_NAME, name.data());
  return name.data();
}

TEST_CASE("a label is written to our own file, in one write", "[kernel][labels]") {
  CHECK(in_new_namespaces([] {
          const std::string failure = perform("comm", "labelled");
          return failure + own_name();
        }) == "labelled");
}

TEST_CASE("a file that is not there is named in the failure", "[kernel][labels]") {
  CHECK(in_new_namespaces([] { return perform("attr/nonsense", "x"); }) ==
        "step 0 security_label /process/selinuxLabel: attr/nonsense  ENOENT");
}

TEST_CASE("R05: a /proc that is something else takes no label", "[kernel][labels]") {
  CHECK(in_new_namespaces([] {
          if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return std::string("no tmpfs");
          make_directory("/proc/thread-self");
          make_file("/proc/thread-self/comm", "untouched");
          return perform("comm", "labelled") + " " + read_text("/proc/thread-self/comm");
        }).ends_with(" untouched"));
}

TEST_CASE("R05: a file of another file system below /proc takes no label", "[kernel][labels]") {
  const std::string told = in_new_namespaces([] {
    make_directory("/tmp/fake");
    make_file("/tmp/fake/exec", "untouched");
    if (::mount("/tmp/fake", "/proc/self/task", nullptr, MS_BIND, nullptr) != 0)
      return std::string("no bind");
    return perform("task/exec", "labelled") + " " + read_text("/tmp/fake/exec");
  });
  CHECK(told.find("untouched") != std::string::npos);
  CHECK(told.starts_with("step 0 security_label"));
}

TEST_CASE("R03: becoming the user closes the host's procfs that a label needed", "[kernel][labels]") {
  CHECK(in_new_namespaces([] {
          plan::Builder builder;
          builder.add("", plan::SecurityLabel{.file = builder.text("comm"), .text = builder.text("x")});
          builder.add("", plan::Confine{.set_groups = 0});
          Performance performance(builder);
          const std::string failure = performance.perform();
          return failure + std::to_string(performance.context().host_proc);
        }) == "-1");
}

}  // namespace
}  // namespace capsule::test
