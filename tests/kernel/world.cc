#include "tests/kernel/world.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "runtime/plan/fields.h"
#include "runtime/plan/view.h"

namespace capsule::test {
namespace {

constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "test world: %s: %s\n", what, std::strerror(errno));
  std::_Exit(3);
}

void require(bool good, const char* what) {
  if (!good) give_up(what);
}

bool write_file(const std::string& path, const std::string& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  ::close(fd);
  return written;
}

bool write_maps(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid) + "/";
  if (has_many_ids())
    return write_file(proc + "uid_map", "0 0 65536\n") && write_file(proc + "gid_map", "0 0 65536\n");
  return write_file(proc + "setgroups", "deny") &&
         write_file(proc + "uid_map", "0 " + std::to_string(::geteuid()) + " 1\n") &&
         write_file(proc + "gid_map", "0 " + std::to_string(::getegid()) + " 1\n");
}

std::string read_all(int fd) {
  std::string all;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) return all;
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

// Process 1 of the new namespaces.
[[noreturn]] void live(const std::function<std::string()>& body, int report) {
  require(::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0, "become root");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
  require(::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) == 0, "mount /tmp");
  require(::chdir("/tmp") == 0, "chdir /tmp");
  ::umask(0);
  const std::string found = body() + "\n.";  // the mark of a body that returned
  const bool told = ::write(report, found.data(), found.size()) == static_cast<ssize_t>(found.size());
  std::_Exit(told ? 0 : 3);
}

// Makes the namespaces, waits for its maps, and forks: only a child is in the new pid namespace.
[[noreturn]] void make_world(const std::function<std::string()>& body, int ready, int maps, int report) {
  if (::unshare(kNamespaces) < 0) {
    const std::string reason = std::string("unshare: ") + std::strerror(errno);
    (void)!::write(ready, reason.data(), reason.size());
    std::_Exit(4);
  }
  ::close(ready);
  ::alarm(60);  // a step that hangs fails its test instead of the whole run; process 1 itself has no SIGALRM
  char byte = 0;
  if (::read(maps, &byte, 1) != 1) std::_Exit(4);
  const pid_t pid = ::fork();
  if (pid == 0) live(body, report);
  int status = 0;
  ::waitpid(pid, &status, 0);
  std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { require(::pipe2(ends, O_CLOEXEC) == 0, "pipe2"); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

struct Outcome {
  std::string refusal, report;
  int code;
};

Outcome run_world(const std::function<std::string()>& body) {
  Pipe ready, maps, report;
  const pid_t pid = ::fork();
  if (pid == 0) make_world(body, ready.ends[1], maps.ends[0], report.ends[1]);
  ready.close_end(1);
  maps.close_end(0);
  report.close_end(1);

  Outcome outcome{read_all(ready.ends[0]), {}, -1};
  if (outcome.refusal.empty() && !write_maps(pid))
    outcome.refusal = std::string("write id maps: ") + std::strerror(errno);
  if (outcome.refusal.empty()) (void)!::write(maps.ends[1], "m", 1);
  maps.close_end(1);
  outcome.report = read_all(report.ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  return outcome;
}

std::string errno_name(int err) {
  const char* name = ::strerrorname_np(err);
  return name == nullptr ? std::to_string(err) : name;
}

}  // namespace

bool has_many_ids() {
  return ::geteuid() == 0;
}

std::string in_new_namespaces(const std::function<std::string()>& body) {
  std::string report = run_world(body).report;
  if (!report.ends_with("\n.")) return kDied;
  report.resize(report.size() - 2);
  return report;
}

namespace {

// Before main: ctest takes exit code 4 for "skipped", and only here nothing has run yet.
struct SkipUnlessPossible {
  SkipUnlessPossible() {
    const Outcome outcome = run_world([] { return std::string("here"); });
    if (outcome.report.starts_with("here")) return;
    std::fprintf(stderr, "skipped: no user namespaces to be had (%s)\n",
                 outcome.refusal.empty() ? "no mounts in them" : outcome.refusal.c_str());
    std::_Exit(4);
  }
};
const SkipUnlessPossible skip_unless_possible;

}  // namespace

Performance::Performance(plan::Builder& builder)
    : image_(builder.finish()), context_(std::make_unique<init::Context>()) {
  context_->plan = plan::View::verify(image_.data(), image_.size());
  require(context_->plan.ok(), "plan");
}

void Performance::set_descriptor(std::uint16_t slot, int fd) {
  std::memcpy(image_.data() + sizeof(plan::PlanHeader) + slot * sizeof(std::int32_t), &fd, sizeof(fd));
}

std::string Performance::perform() {
  if (init::perform_all(*context_)) return {};
  const protocol::Failure& f = context_->failure;
  std::ostringstream text;
  text << "step " << f.step << " " << plan::name_of(static_cast<plan::StepKind>(f.kind));
  if (f.field[0] != '\0') text << " " << f.field;
  text << ": ";
  if (f.problem != protocol::Problem::system_call) text << "problem " << static_cast<int>(f.problem) << " ";
  text << f.call << " " << f.object << " " << (f.err == 0 ? "0" : errno_name(f.err));
  return text.str();
}

void add_root(plan::Builder& builder) {
  builder.add("/root/path", plan::PrepareRoot{.source = builder.text("/tmp/root"),
                                              .host_propagation = MS_SLAVE,
                                              .root_propagation = MS_PRIVATE});
}

void add_proc(plan::Builder& builder) {
  builder.add("", plan::Bind{.target = builder.text("/proc"),
                             .source = builder.text("/proc"),
                             .flags = plan::kMountCreateTarget | plan::kMountRecursive});
}

std::string perform_in_root(const std::function<void(plan::Builder&)>& add) {
  plan::Builder builder;
  add_root(builder);
  add(builder);
  return Performance(builder).perform();
}

std::string pivot_after(const std::function<void(plan::Builder&)>& add) {
  return perform_in_root([&](plan::Builder& builder) {
    add_proc(builder);
    add(builder);
    builder.add("", plan::Pivot{});
  });
}

void make_directory(const std::string& path) {
  std::string prefix;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '/');) {
    prefix += part + "/";
    if (::mkdir(prefix.c_str(), 0755) < 0) require(errno == EEXIST || errno == EROFS, prefix.c_str());
  }
}

void make_file(const std::string& path, const std::string& content, unsigned mode) {
  make_directory(path.substr(0, path.rfind('/')));
  std::ofstream(path, std::ios::binary) << content;
  require(::chmod(path.c_str(), mode) == 0, path.c_str());
}

void make_link(const std::string& path, const std::string& value) {
  make_directory(path.substr(0, path.rfind('/')));
  require(::symlink(value.c_str(), path.c_str()) == 0, path.c_str());
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string look_at(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) return errno_name(errno);
  std::ostringstream text;
  switch (info.st_mode & S_IFMT) {
    case S_IFDIR:
      return "dir";
    case S_IFLNK: {
      std::array<char, 256> value{};
      (void)!::readlink(path.c_str(), value.data(), value.size() - 1);
      return std::string("link ") + value.data();
    }
    case S_IFCHR:
      text << "char " << major(info.st_rdev) << ":" << minor(info.st_rdev);
      return text.str();
    case S_IFIFO:
      return "fifo";
    default:
      text << "file 0" << std::oct << (info.st_mode & 07777U) << std::dec << " " << info.st_uid << ":"
           << info.st_gid;
      return text.str();
  }
}

std::string mounted_at(const std::string& path) {
  std::ifstream table("/proc/thread-self/mountinfo");
  std::string found;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string word, target, options, type;
    for (int i = 0; i < 4; ++i)
      words >> word;
    words >> target >> options;
    while (words >> word && word != "-") {
    }
    words >> type;
    if (target == path) found = options + " " + type;  // the last one is on top
  }
  return found;
}

std::string try_write(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return errno_name(errno);
  ::close(fd);
  return {};
}

}  // namespace capsule::test
