#include "namespaces/mount_request.h"

#include "tests/namespaces/support.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

TEST_CASE("only the short list of files may be bound below /proc", "[namespaces][mounts]") {
  for (const char* name : {"cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps",
                           "uptime", "sys/crypto/fips_enabled", "sys/kernel/ns_last_pid"}) {
    const std::string target = std::string("/proc/") + name;
    INFO(target);
    CHECK(testing::planned_mount(testing::mount_of(target, "bind", "/lxcfs/file", {"bind"})) ==
          "bind target=" + target +
              " source=/lxcfs/file flags=create_target|allow_below_proc|bind slot=2 propagation=slave"
              "   # /mounts/0");
  }
}

TEST_CASE("nothing else may be mounted below /proc", "[namespaces][mounts]") {
  struct Case {
    spec::Mount mount;
    std::string because;
  };
  const Case cases[] = {
      {testing::mount_of("/proc/self/attr", "bind", "/x", {"bind"}),
       "labels would be written into it (CVE-2019-16884)"},
      {testing::mount_of("/proc/sys", "bind", "/x", {"rbind"}), "not on the list"},
      {testing::mount_of("/proc/cpuinfo/x", "bind", "/x", {"bind"}), "below an entry is not the entry"},
      {testing::mount_of("/proc/uptime", "tmpfs", "tmpfs", {}), "the list is for binds"},
      {testing::mount_of("/proc/sys/fs/binfmt_misc", "binfmt_misc", "binfmt_misc", {}),
       "file systems neither"},
      {testing::mount_of("//proc/./sys/../kcore", "bind", "/x", {"bind"}), "by its clean path"},
      {testing::mount_of("/x/../proc/kcore", "bind", "/x", {"bind"}), "however it is spelled"},
      {testing::mount_of("proc/kcore", "bind", "/x", {"bind"}), "relative destinations start at the root"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    const std::string text = testing::planned_mount(c.mount);
    CHECK(text.starts_with("error: /mounts/0: \"/proc/"));
    CHECK(text.ends_with("cannot be mounted because it is inside /proc"));
  }
}

TEST_CASE("a name that merely begins like /proc is free", "[namespaces][mounts]") {
  CHECK(testing::planned_mount(testing::mount_of("/process", "tmpfs", "", {})) ==
        "mount_filesystem target=/process type=tmpfs source=tmpfs flags=create_target   # /mounts/0");
}

TEST_CASE("/proc itself takes a procfs, or a bind that init will look at", "[namespaces][mounts]") {
  CHECK(testing::planned_mount(testing::mount_of("/proc", "proc", "proc", {})) ==
        "mount_filesystem target=/proc type=proc source=proc flags=create_target|no_symlinks   # /mounts/0");
  CHECK(testing::planned_mount(testing::mount_of("/proc/", "none", "/proc", {"rbind"})) ==
        "bind target=/proc source=/proc flags=create_target|no_symlinks|recursive|bind slot=2 "
        "recursive_propagation=slave"
        "   # /mounts/0");
  CHECK(testing::planned_mount(testing::mount_of("/proc", "tmpfs", "tmpfs", {})) ==
        "error: /mounts/0: \"/proc\" cannot be mounted because it is not of type proc");
}

TEST_CASE("a tmpfs waits to become read-only unless something covers it", "[namespaces][mounts]") {
  struct Case {
    std::vector<std::string> options;
    std::string later;
    bool waits;
    std::string because;
  };
  const Case cases[] = {
      {{"ro"}, "/elsewhere", true, "it is still to be filled"},
      {{"rro"}, "/elsewhere", true, "recursive or not, at the time it is alone"},
      {{"rro", "rw"}, "/elsewhere", false, "writable at the top in the end"},
      {{"ro", "rw"}, "/elsewhere", false, "writable in the end"},
      {{}, "/elsewhere", false, "nobody asked"},
      {{"ro"}, "/a/b/c", true, "a mount inside does not cover it"},
      {{"ro"}, "/a/b", false, "a mount on it does, and later the path would name that one"},
      {{"ro"}, "/a", false, "so does one on its parent"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    spec::Spec spec = testing::ordinary_spec();
    spec.mounts = {testing::mount_of("/a/b", "tmpfs", "tmpfs", c.options),
                   testing::mount_of(c.later, "tmpfs", "tmpfs", {})};
    CHECK(becomes_readonly_late(spec, read_mount(spec, 0)) == c.waits);
  }
}

}  // namespace
}  // namespace capsule::ns
