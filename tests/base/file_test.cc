#include "runtime/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "runtime/base/sys.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

namespace capsule {
namespace {

UniqueFd open_directory(const std::string& path) {
  return sys::openat(FdRef::cwd(), path.c_str(), O_PATH | O_DIRECTORY).value();
}
unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

TEST_CASE("a file is read whole, whatever size it claims to have", "[base][file]") {
  const test::Scratch scratch;
  std::string large(100'000, 'x');
  large[50'000] = '\0';
  scratch.write("large", large);
  CHECK(read_file(FdRef::cwd(), scratch.at("large").c_str()).value() == large);

  const std::string status = read_file(FdRef::cwd(), "/proc/self/status").value();
  CHECK(status.find("\nPid:\t") != std::string::npos);
}

TEST_CASE("a file that is missing is named in the error", "[base][file]") {
  const Result<std::string> missing = read_file(FdRef::cwd(), "/nonexistent/file");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code() == ENOENT);
  CHECK(missing.error().message().find("/nonexistent/file") != std::string::npos);
}

TEST_CASE("a directory is listed without its own entries, also by an O_PATH descriptor", "[base][file]") {
  const test::Scratch scratch;
  scratch.write("a", "");
  scratch.write(".b", "");
  const UniqueFd dir = open_directory(scratch.path());
  for (int again = 0; again < 2; ++again) {
    std::vector<std::string> names = list_directory(dir).value();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{".b", "a"});
  }
}

TEST_CASE("replacing a file leaves the new content, its mode, and no temporary file", "[base][file]") {
  const test::Scratch scratch;
  const UniqueFd dir = open_directory(scratch.path());
  const mode_t before = ::umask(022);
  REQUIRE(replace_file(dir, "state.json", "old", 0600).has_value());
  REQUIRE(replace_file(dir, "state.json", "new", 0600).has_value());
  ::umask(before);

  CHECK(scratch.content("state.json") == "new");
  CHECK(mode_of(scratch.at("state.json")) == 0600);
  CHECK(scratch.listing() == "state.json ");
}

TEST_CASE("a reader that has the old file open keeps the old content", "[base][file]") {
  const test::Scratch scratch;
  const UniqueFd dir = open_directory(scratch.path());
  REQUIRE(replace_file(dir, "f", "old", 0600).has_value());
  const UniqueFd reader = sys::openat(dir, "f", O_RDONLY).value();
  REQUIRE(replace_file(dir, "f", "new and longer", 0600).has_value());
  CHECK(read_fd(reader, "f").value() == "old");
}

TEST_CASE("what cannot be replaced stays, and the temporary file goes", "[base][file]") {
  const test::Scratch scratch;
  std::filesystem::create_directory(scratch.at("taken"));
  const UniqueFd dir = open_directory(scratch.path());
  const Status replaced = replace_file(dir, "taken", "bytes", 0600);
  REQUIRE_FALSE(replaced.has_value());
  CHECK(replaced.error().code() == EISDIR);
  CHECK(scratch.listing() == "taken ");
}

TEST_CASE("a file given by path is made complete, or replaced, and nothing else appears", "[base][file]") {
  const test::Scratch scratch;
  const std::string path = scratch.at("pid");
  REQUIRE(replace_file_at_path(path, "1", 0644).has_value());
  CHECK(scratch.content("pid") == "1");
  CHECK(mode_of(path) == 0644);

  REQUIRE(replace_file_at_path(path, "23", 0644).has_value());
  CHECK(scratch.content("pid") == "23");
  CHECK(scratch.listing() == "pid ");
}

TEST_CASE("a file below a directory that does not exist is an error, not a new directory", "[base][file]") {
  const test::Scratch scratch;
  const Status made = replace_file_at_path(scratch.at("missing/pid"), "1", 0644);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code() == ENOENT);
  CHECK(scratch.listing().empty());
}

TEST_CASE("a link in the place of the temporary file is not followed", "[base][file]") {
  const test::Scratch scratch;
  scratch.write("victim", "precious");
  std::filesystem::create_symlink("victim", scratch.at(".f.tmp"));
  const UniqueFd dir = open_directory(scratch.path());
  const Status replaced = replace_file(dir, "f", "bytes", 0600);
  REQUIRE_FALSE(replaced.has_value());
  CHECK(replaced.error().code() == ELOOP);
  CHECK(scratch.content("victim") == "precious");
}

TEST_CASE("a kernel file is written in one go and must exist", "[base][file]") {
  const test::Scratch scratch;
  const UniqueFd dir = open_directory(scratch.path());
  scratch.write("pids.max", "max");
  REQUIRE(write_kernel_file(dir, "pids.max", "100").has_value());
  CHECK(scratch.content("pids.max") == "100");
  CHECK(write_kernel_file(dir, "memory.max", "1").error().code() == ENOENT);
  CHECK(scratch.listing() == "pids.max ");
}

}  // namespace
}  // namespace capsule
