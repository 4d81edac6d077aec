// The working directory, the program and its environment.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using protocol::Problem;

std::string problem(Problem which) {
  return "problem " + std::to_string(static_cast<int>(which)) + " ";
}

void add_cwd(Builder& builder, const char* target, std::uint64_t may_retry = 0) {
  builder.add("/process/cwd", plan::ChangeDirectory{.target = builder.text(target), .may_retry = may_retry});
}

std::string change_directory(const char* target) {
  return in_new_namespaces([target] {
    Builder builder;
    add_cwd(builder, target);
    const std::string failed = Performance(builder).perform();
    return failed + (failed.empty() ? std::filesystem::current_path().string() : "");
  });
}

TEST_CASE("the working directory is where the process starts", "[kernel][program]") {
  CHECK(change_directory("/usr") == "/usr");
  CHECK(change_directory("/nonexistent") ==
        "step 0 change_directory /process/cwd: chdir /nonexistent ENOENT");
  CHECK(change_directory("/etc/passwd") == "step 0 change_directory /process/cwd: chdir /etc/passwd ENOTDIR");
}

TEST_CASE("a working directory may be deep", "[kernel][program]") {
  const std::string deep = "/tmp/" + std::string(200, 'a') + "/" + std::string(200, 'b');
  CHECK(in_new_namespaces([&deep] {
          make_directory(deep.substr(0, deep.rfind('/')).c_str());
          make_directory(deep.c_str());
          Builder builder;
          add_cwd(builder, deep.c_str());
          const std::string failed = Performance(builder).perform();
          return failed + (failed.empty() ? std::filesystem::current_path().string() : "");
        }) == deep);
}

TEST_CASE("a directory that only the user may enter is tried again as the user", "[kernel][program]") {
  if (!has_many_ids()) {
    WARN("skipped: only root can map more ids than one");
    return;
  }
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/home");
          if (::chown("/tmp/home", 1000, 1000) < 0 || ::chmod("/tmp/home", 0700) < 0)
            return std::string("prepare");
          Builder builder;
          builder.add("", plan::Confine{.uid = 5});
          add_cwd(builder, "/tmp/home", 1);
          add_cwd(builder, "/tmp/home", 0);
          return Performance(builder).perform();
        }) == "step 2 change_directory /process/cwd: chdir /tmp/home EACCES");
}

// What is said of it, as far as the number of the descriptor.
std::string enter_leaked(const std::string& host) {
  const int leaked = ::open(host.c_str(), O_RDONLY | O_DIRECTORY);
  const std::string way = "/proc/self/fd/" + std::to_string(leaked);
  const std::string failed = perform_in_root([&](Builder& builder) {
    add_proc(builder);
    builder.add("", plan::Pivot{});
    add_cwd(builder, way.c_str());
  });
  return failed.substr(0, failed.rfind('/'));
}

TEST_CASE("a directory reached through a descriptor of the host is a breakout, however deep",
          "[kernel][program]") {
  const std::string breakout =
      "step 3 change_directory /process/cwd: " + problem(Problem::escaped_cwd) + "getcwd /proc/self/fd";
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          make_directory("/tmp/host");
          return enter_leaked("/tmp/host");
        }) == breakout);
  CHECK(in_new_namespaces([] {
          const std::string host = "/tmp/" + std::string(200, 'a');
          const std::string deep = host + "/" + std::string(200, 'b');
          make_directory("/tmp/root");
          make_directory(host.c_str());
          make_directory(deep.c_str());
          return enter_leaked(deep);
        }) == breakout);
}

std::string find(const char* name, const char* search_path = "/tmp/a:/tmp/b") {
  return in_new_namespaces([=] {
    make_file("/tmp/a/plain", "", 0644);
    make_file("/tmp/b/plain", "", 0755);
    make_file("/tmp/b/tool", "", 0755);
    make_directory("/tmp/a/tool");
    Builder builder;
    builder.add("/process/args/0",
                plan::FindExecutable{.name = builder.text(name), .search_path = builder.text(search_path)});
    Performance performance(builder);
    const std::string failed = performance.perform();
    return failed.empty() ? performance.context().executable : failed;
  });
}

TEST_CASE("a name is looked for in $PATH, past what cannot be run", "[kernel][program]") {
  CHECK(find("tool") == "/tmp/b/tool");
  CHECK(find("plain") == "/tmp/b/plain");
  CHECK(find("tool", "/tmp/b") == "/tmp/b/tool");
  CHECK(find("b/tool") == "b/tool");
  CHECK(find("tool", "/nonexistent::/tmp/b") == "/tmp/b/tool");
  CHECK(find("tool", std::string(5000, 'x').c_str()).find(problem(Problem::not_in_path)) !=
        std::string::npos);
}

TEST_CASE("what cannot be run is found at create, with the reason", "[kernel][program]") {
  const std::string begin = "step 0 find_executable /process/args/0: ";
  CHECK(find("missing") == begin + problem(Problem::not_in_path) + "stat missing ENOENT");
  CHECK(find("plain", "/tmp/a") == begin + problem(Problem::not_in_path) + "stat plain ENOENT");
  CHECK(find("/tmp/missing") == begin + "stat /tmp/missing ENOENT");
  CHECK(find("/tmp/b/tool/x") == begin + "stat /tmp/b/tool/x ENOTDIR");
  CHECK(find("/tmp/a/tool") == begin + problem(Problem::is_directory) + "stat /tmp/a/tool EISDIR");
  CHECK(find("/tmp/a/plain") == begin + problem(Problem::not_executable) + "access /tmp/a/plain EACCES");
}

// Finds and executes `args` in a process of its own; what it printed.
std::string execute(const std::vector<std::string>& args,
                    const std::vector<std::string>& env,
                    std::uint32_t needs_home,
                    std::uint32_t uid = 0) {
  return in_new_namespaces([&] {
    make_file("/tmp/passwd",
              "# comment\nroot:x:00:0:root:/root:/bin/sh\nweb:x:33:33::/srv/www:/bin/sh\nbad:x:34\n"
              "rel:x:35:35::relative:/bin/sh\nlast:x:36:36::/last");
    if (::mount("/tmp/passwd", "/etc/passwd", nullptr, MS_BIND, nullptr) < 0) return std::string("mount");
    Builder builder;
    builder.add("", plan::FindExecutable{.name = builder.text(args[0]), .search_path = builder.text("/bin")});
    builder.add(
        "/process/args",
        plan::Exec{
            .args = builder.list(args), .env = builder.list(env), .home_uid = uid, .needs_home = needs_home});
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int out = ::open("/tmp/out", O_WRONLY | O_CREAT, 0644);
      ::dup2(out, 1);
      const std::string failed = Performance(builder).perform();
      (void)!::write(1, failed.data(), failed.size());
      ::_exit(1);
    }
    ::waitpid(pid, nullptr, 0);
    return read_text("/tmp/out");
  });
}

TEST_CASE("the program has its arguments and environment as planned", "[kernel][program]") {
  CHECK(execute({"sh", "-c", "echo $0-$1-$A", "zero", "a b"}, {"A=x"}, 0) == "zero-a b-x\n");
}

TEST_CASE("HOME is the user's in the container's passwd, or the root", "[kernel][program]") {
  struct Case {
    std::uint32_t uid;
    const char* home;
    const char* because;
  };
  for (const Case& c : {
           Case{0, "/root\n", "root's"},
           Case{33, "/srv/www\n", "another user's"},
           Case{36, "/last\n", "a last line without its end"},
           Case{34, "/\n", "a line that is cut"},
           Case{35, "/\n", "a directory that is not absolute"},
           Case{3, "/\n", "an unknown user, though 33 begins like it"},
       }) {
    INFO(c.because);
    CHECK(execute({"sh", "-c", "echo $HOME"}, {}, 1, c.uid) == c.home);
  }
  CHECK(execute({"sh", "-c", "echo $HOME"}, {"HOME=/given"}, 0) == "/given\n");
}

TEST_CASE("a program that the kernel refuses is told by its own path", "[kernel][program]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/script", "#!/nonexistent/interpreter\n", 0755);
          Builder builder;
          builder.add("", plan::FindExecutable{.name = builder.text("/tmp/script")});
          builder.add("/process/args", plan::Exec{.args = builder.list({"/tmp/script"})});
          return Performance(builder).perform();
        }) == "step 1 exec /process/args: execve /tmp/script ENOENT");
}

}  // namespace
}  // namespace capsule::test
