#include "namespaces/lexical.h"

#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

TEST_CASE("paths are cleaned by their letters alone", "[namespaces][lexical]") {
  struct Case {
    std::string path, clean, because;
  };
  const Case cases[] = {
      {"/a/b", "/a/b", "clean already"},
      {"/a//b/./c/", "/a/b/c", "doubled slashes, dots and a last slash say nothing"},
      {"a/b", "/a/b", "relative destinations start at the root (config.md#mounts)"},
      {"", "/", "nothing is the root"},
      {"/", "/", "the root"},
      {"/a/../b", "/b", "a parent takes back one component"},
      {"/../../a", "/a", "the root is its own parent"},
      {"../proc", "/proc", "and so it is for relative paths"},
      {"/a/..", "/", "back at the top"},
      {"/a/..b/...", "/a/..b/...", "names may begin with dots"},
  };
  for (const Case& c : cases) {
    INFO(c.because << ": " << c.path);
    CHECK(clean_path(c.path) == c.clean);
  }
}

TEST_CASE("a path is below a directory only by whole components", "[namespaces][lexical]") {
  CHECK(is_below("/proc/stat", "/proc"));
  CHECK(is_below("/proc", "/"));
  CHECK_FALSE(is_below("/proc", "/proc"));
  CHECK_FALSE(is_below("/process", "/proc"));
  CHECK_FALSE(is_below("/", "/"));
}

TEST_CASE("names in JSON pointers are escaped", "[namespaces][lexical]") {
  CHECK(member_pointer("/linux/sysctl", "net.ipv4.ip_forward") == "/linux/sysctl/net.ipv4.ip_forward");
  CHECK(member_pointer("/linux/sysctl", "net/ipv4~x") == "/linux/sysctl/net~1ipv4~0x");
  CHECK(item_pointer("/mounts", 12) == "/mounts/12");
}

}  // namespace
}  // namespace capsule::ns
