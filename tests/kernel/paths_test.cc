// Paths that an image's author chose: links stay inside, /proc is not to be fooled, masks cover.
#include <sys/mount.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using protocol::Problem;

constexpr std::uint32_t kCreate = plan::kMountCreateTarget;

void add_bind(Builder& builder, const char* target, const char* source, std::uint32_t flags = kCreate) {
  builder.add("/mounts/0",
              plan::Bind{.target = builder.text(target), .source = builder.text(source), .flags = flags});
}

bool is_problem(const std::string& failed, Problem problem) {
  UNSCOPED_INFO(failed);
  return failed.find("problem " + std::to_string(static_cast<int>(problem)) + " ") != std::string::npos;
}

// Binds /tmp/src to /target, after `prepare` has made the root.
std::string bind_to_target(const std::function<void()>& prepare, std::uint32_t flags = kCreate) {
  return in_new_namespaces([&] {
    make_directory("/tmp/root");
    make_file("/tmp/src/mark", "bound");
    make_directory("/tmp/outside");
    prepare();
    const std::string failed =
        perform_in_root([&](Builder& b) { add_bind(b, "/target", "/tmp/src", flags); });
    return failed + look_at("/tmp/outside/new");
  });
}

TEST_CASE("links in the image lead to places inside the root only", "[kernel][paths]") {
  struct Case {
    const char* link;
    const char* at;
    const char* because;
  };
  for (const Case& c : {
           Case{"/elsewhere", "/elsewhere", "absolute means from the root"},
           Case{"elsewhere", "/elsewhere", "relative means from where the link is"},
           Case{"../../../../elsewhere", "/elsewhere", ".. stops at the root"},
           Case{"/tmp/../elsewhere", "/elsewhere", "also on a way through directories that exist"},
       }) {
    INFO(c.because);
    CHECK(in_new_namespaces([&] {
            make_file("/tmp/src/mark", "bound");
            make_directory("/tmp/root/elsewhere");
            make_directory("/tmp/root/tmp");
            make_link("/tmp/root/target", c.link);
            const std::string failed =
                pivot_after([](Builder& builder) { add_bind(builder, "/target", "/tmp/src"); });
            return failed + read_text(std::string(c.at) + "/mark");
          }) == "bound");
  }
}

TEST_CASE("a link on the way to what is missing is followed inside, and nothing is made outside",
          "[kernel][paths]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/src/mark", "bound");
          make_directory("/tmp/root/tmp/outside");
          make_directory("/tmp/outside");
          make_link("/tmp/root/way", "/tmp/outside");
          const std::string failed =
              perform_in_root([](Builder& builder) { add_bind(builder, "/way/new/target", "/tmp/src"); });
          return failed + look_at("/tmp/outside/new") + " " + look_at("/tmp/root/tmp/outside/new");
        }) == "ENOENT dir");
}

TEST_CASE("a link that leads nowhere is no place to make anything", "[kernel][paths]") {
  CHECK(bind_to_target([] { make_link("/tmp/root/target", "/tmp/outside/new"); }).find("step 1 bind") == 0);
}

TEST_CASE("a last component that is a link is followed, or is itself the target", "[kernel][paths]") {
  const auto bind_over_link = [](std::uint32_t flags) {
    return in_new_namespaces([flags] {
      make_file("/tmp/file", "bound");
      make_file("/tmp/root/real", "image's");
      make_link("/tmp/root/target", "/real");
      const std::string failed =
          pivot_after([flags](Builder& builder) { add_bind(builder, "/target", "/tmp/file", flags); });
      return failed + look_at("/target") + " " + read_text("/target") + " " + read_text("/real");
    });
  };
  CHECK(bind_over_link(kCreate) == "link /real bound bound");
  CHECK(bind_over_link(kCreate | plan::kMountDestNofollow) == "file 0644 0:0 bound image's");
}

TEST_CASE("/proc must be reached without any link", "[kernel][paths][proc]") {
  const auto mount_proc = [](const std::function<void()>& prepare) {
    return in_new_namespaces([&] {
      prepare();
      return perform_in_root([](Builder& builder) {
        builder.add("/mounts/0",
                    plan::Bind{.target = builder.text("/proc"),
                               .source = builder.text("/proc"),
                               .flags = kCreate | plan::kMountNoSymlinks | plan::kMountRecursive});
      });
    });
  };
  CHECK(mount_proc([] { make_directory("/tmp/root/proc"); }).empty());
  CHECK(mount_proc([] { make_directory("/tmp/root"); }).empty());
  CHECK(is_problem(mount_proc([] {
                     make_directory("/tmp/root/evil/level");
                     make_link("/tmp/root/proc", "evil/level");
                   }),
                   Problem::symlinked_target));
}

TEST_CASE("a place that lies in /proc is not mounted on, unless it is on the list", "[kernel][paths][proc]") {
  const auto cover = [](const char* target, std::uint32_t flags) {
    return in_new_namespaces([&] {
      make_file("/tmp/fake", "fake");
      make_link("/tmp/root/innocent", "/proc/uptime");
      const std::string failed =
          pivot_after([&](Builder& builder) { add_bind(builder, target, "/tmp/fake", flags); });
      return failed + (failed.empty() ? read_text("/proc/uptime") : "");
    });
  };
  CHECK(is_problem(cover("/proc/uptime", 0), Problem::below_proc));
  CHECK(is_problem(cover("/innocent", 0), Problem::below_proc));
  CHECK(cover("/proc/uptime", plan::kMountAllowBelowProc) == "fake");
}

TEST_CASE("only a proc file system is bound on /proc", "[kernel][paths][proc]") {
  const std::string failed = in_new_namespaces([] {
    make_directory("/tmp/root");
    make_directory("/tmp/src");
    return perform_in_root([](Builder& builder) { add_bind(builder, "/proc", "/tmp/src"); });
  });
  CHECK(is_problem(failed, Problem::proc_is_not_procfs));
}

void add_mask(Builder& builder, const char* target) {
  builder.add("/linux/maskedPaths/0", plan::Mask{.target = builder.text(target)});
}

TEST_CASE("a masked directory is empty and read-only, a masked file is the null device",
          "[kernel][paths][masks]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/secret/key", "key");
          make_file("/tmp/root/other/key", "key");
          make_file("/tmp/root/etc/shadow", "hashes");
          const std::string failed = pivot_after([](Builder& builder) {
            add_mask(builder, "/secret");
            add_mask(builder, "/other");
            add_mask(builder, "/etc/shadow");
          });
          return failed + look_at("/secret/key") + " " + try_write("/secret/new") + " " +
                 look_at("/other/key") + " " + try_write("/other/new") + " " + look_at("/etc/shadow") + " [" +
                 read_text("/etc/shadow") + "]";
        }) == "ENOENT EROFS ENOENT EROFS char 1:3 []");
}

TEST_CASE("a mask covers what a link in the image means", "[kernel][paths][masks]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/real/key", "key");
          make_link("/tmp/root/secret", "../../../real");
          const std::string failed = pivot_after([](Builder& builder) { add_mask(builder, "/secret"); });
          return failed + look_at("/real/key");
        }) == "ENOENT");
}

TEST_CASE("what is not there needs neither mask nor protection", "[kernel][paths][masks]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/file", "");
          const std::string failed = pivot_after([](Builder& builder) {
            for (const char* target : {"/missing", "/missing/below", "/file/below"}) {
              add_mask(builder, target);
              builder.add("", plan::MakeReadonly{.target = builder.text(target)});
            }
          });
          return failed + look_at("/missing");
        }) == "ENOENT");
}

TEST_CASE("a read-only path keeps its content, and what is mounted below it is read-only too",
          "[kernel][paths][masks]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/usr/a", "content");
          make_directory("/tmp/root/usr/sub");
          const std::string failed = pivot_after([](Builder& builder) {
            builder.add("", plan::MountFilesystem{.target = builder.text("/usr/sub"),
                                                  .type = builder.text("tmpfs"),
                                                  .source = builder.text("tmpfs")});
            builder.add("", plan::MakeReadonly{.target = builder.text("/usr")});
          });
          return failed + read_text("/usr/a") + " " + try_write("/usr/a") + " " + try_write("/usr/sub/new") +
                 " " + try_write("/beside");
        }) == "content EROFS EROFS ");
}

}  // namespace
}  // namespace capsule::test
