#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

// Sets a variable of the environment for a test, nullptr to remove it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(const char* value) const {
    if (value == nullptr) {
      (void)::unsetenv(name_);
    } else {
      (void)::setenv(name_, value, 1);
    }
  }
  const char* name_;
  std::optional<std::string> before_;
};

class Unprivileged {  // for as long as it lives, if we are root
 public:
  Unprivileged() {
    if (::geteuid() == 0) switched_ = ::seteuid(65534) == 0;
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (switched_) (void)::seteuid(0);
  }

 private:
  bool switched_ = false;
};

// What Store::open(nullopt) finds for root of a user namespace: asked by a child, since there is no way back
// out of the namespace.
std::string default_root_in_user_namespace() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
    const int file = ::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, map.data(), map.size()) < 0) ::_exit(77);
    const Result<Store> store = Store::open(std::nullopt);
    const std::string root = store.has_value() ? store.value().root() : store.error().message();
    ::_exit(::write(ends[1], root.data(), root.size()) < 0 ? 1 : 0);
  }
  (void)::close(ends[1]);
  std::string root(4096, '\0');
  const ssize_t got = ::read(ends[0], root.data(), root.size());
  (void)::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return "no user namespace";
  REQUIRE(got > 0);
  return root.substr(0, static_cast<std::size_t>(got));
}

}  // namespace

TEST_CASE("an id is a plain file name, and anything else is refused in runc's words", "[container][id]") {
  const std::string longest(255, 'a');
  const std::string too_long(256, 'a');
  const std::string with_nul("a\0b", 3);
  struct Case {
    std::string id;
    const char* words;  // nullptr: accepted
    const char* because;
  };
  const Case cases[] = {
      {"c1", nullptr, "letters and digits"},
      {"A-b_c+d.e", nullptr, "all the marks there are"},
      {".hidden", nullptr, "a leading dot is allowed"},
      {"...", nullptr, "three dots are a name"},
      {longest, nullptr, "a file name has at most 255 bytes"},
      {"", "container id cannot be empty", "no id"},
      {".", "invalid container ID format: \".\"", "the root itself"},
      {"..", "invalid container ID format: \"..\"", "above the root"},
      {"a/b", "invalid container ID format: \"a/b\"", "a path"},
      {"../c1", "invalid container ID format", "a way out"},
      {"a b", "invalid container ID format", "a space"},
      {"a\n", "invalid container ID format", "a line end"},
      {"caf\xc3\xa9", "invalid container ID format", "letters are those of ASCII"},
      {with_nul, "invalid container ID format", "the kernel would stop reading there"},
      {too_long, "256 characters are more than the 255 of a file name", "no file name"},
      {std::string(4000, 'x'), "4000 characters are more than", "no file name"},
  };
  for (const Case& c : cases) {
    INFO(c.because << ": " << c.id);
    const Status checked = check_id(c.id);
    if (c.words == nullptr) {
      CHECK(checked.has_value());
    } else {
      INFO(message_of(checked));
      CHECK(says(checked, c.words));
    }
  }
}

TEST_CASE("--root is made absolute, and may not be the root directory or empty", "[container][store]") {
  const std::string cwd = std::filesystem::current_path().string();

  CHECK(Store::open("/a/b").value().root() == "/a/b");
  CHECK(Store::open("/a/b//").value().root() == "/a/b");
  CHECK(Store::open("a").value().root() == cwd + "/a");
  CHECK(says(Store::open("/"), "--root \"/\": must name a directory of its own"));
  CHECK(says(Store::open("//"), "must name a directory of its own"));
  CHECK(says(Store::open(""), "must name a directory of its own"));
}

TEST_CASE("without --root, root's containers are in /run/capsule even if XDG_RUNTIME_DIR is set",
          "[container][store]") {
  if (::geteuid() != 0) {
    WARN("skipped: we are not root");
    return;
  }
  const Variable user("USER", "root");
  const Variable runtime_dir("XDG_RUNTIME_DIR", "/run/user/0");

  const Store store = Store::open(std::nullopt).value();

  CHECK(store.root() == "/run/capsule");
  CHECK(store.root_mode() == 0711);
}

TEST_CASE("without --root, a user's containers are below XDG_RUNTIME_DIR, in a directory its sweeper spares",
          "[container][store]") {
  const Unprivileged user;
  const Variable runtime_dir("XDG_RUNTIME_DIR", "/run/user/1000");

  const Store store = Store::open(std::nullopt).value();

  CHECK(store.root() == "/run/user/1000/capsule");
  CHECK(store.root_mode() == 01700);
}

TEST_CASE("without --root and XDG_RUNTIME_DIR, a user is told what to do", "[container][store]") {
  const Unprivileged user;
  for (const char* value : {static_cast<const char*>(nullptr), "", "relative"}) {
    const Variable runtime_dir("XDG_RUNTIME_DIR", value);

    const Result<Store> store = Store::open(std::nullopt);

    INFO(message_of(store));
    CHECK(says(store, "set XDG_RUNTIME_DIR to an absolute path, or give --root"));
  }
}

TEST_CASE("root of a user namespace is a user, whom rootless engines call without USER",
          "[container][store]") {
  const Variable runtime_dir("XDG_RUNTIME_DIR", "/run/user/1000");
  std::string without_user;
  {
    const Variable user("USER", nullptr);
    without_user = default_root_in_user_namespace();
  }
  if (without_user == "no user namespace") {
    WARN("skipped: no user namespace to be had");
    return;
  }
  const Variable user("USER", "root");

  CHECK(without_user == "/run/user/1000/capsule");
  CHECK(default_root_in_user_namespace() == "/run/capsule");
}

TEST_CASE("a root that is not there is empty by default, and an error if it was asked for",
          "[container][store]") {
  const TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  {
    const Unprivileged user;
    const Variable runtime_dir("XDG_RUNTIME_DIR", (dir.path() + "/nowhere").c_str());
    const Result<std::vector<std::string>> ids = Store::open(std::nullopt).value().ids();
    INFO(message_of(ids));
    REQUIRE(ids.has_value());
    CHECK(ids.value().empty());
  }
  const Result<std::vector<std::string>> ids = Store::open(dir.path() + "/nowhere").value().ids();
  CHECK(says(ids, "no such file or directory"));
  CHECK(says(ids, "--root"));
}

TEST_CASE("the ids of a root are its directories that may be containers, sorted", "[container][store]") {
  const TempStore root;
  for (const char* name : {"b", "a", "c", "not an id"})
    std::filesystem::create_directory(root.path_of(name));
  write_text(root.path_of("file"), "");
  std::filesystem::create_directory_symlink("a", root.path_of("link"));

  const Result<std::vector<std::string>> ids = root.store().ids();

  REQUIRE(ids.has_value());
  CHECK(ids.value() == std::vector<std::string>{"a", "b", "c"});
}

}  // namespace capsule::container::test
