#include "tests/container/support.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>

#include "runtime/base/pidfd.h"

namespace capsule::container::test {
namespace {

// A test that is killed must not leave its children behind.
void die_with_parent() {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// The test program's own would report a failed test from within the child.
void forget_handlers() {
  for (const int signal : {SIGTERM, SIGINT, SIGABRT, SIGSEGV, SIGFPE, SIGILL})
    (void)std::signal(signal, SIG_DFL);
}

// sleep(1), in a file in memory that is called as init's.
void sleep_as_init() {
  const int memory = ::memfd_create(kInitName, MFD_CLOEXEC);
  const int program = ::open("/bin/sleep", O_RDONLY | O_CLOEXEC);
  while (::sendfile(memory, program, nullptr, 1U << 20U) > 0) {
  }
  char name[] = "sleep";
  char duration[] = "1000";
  std::array<char*, 3> words{name, duration, nullptr};
  (void)::fexecve(memory, words.data(), environ);
  ::_exit(1);
}

void wait_for_death(pid_t pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return;
  pollfd waiting{pidfd, POLLIN, 0};
  (void)::poll(&waiting, 1, 10'000);
  (void)::close(pidfd);
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "capsule-container-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Store TempStore::store() const {
  return Store::open(path()).value();
}

std::string TempStore::path_of(std::string_view id) const {
  return path() + "/" + std::string(id);
}

Sleeper::Sleeper(Program program) : pid_(0) {
  std::array<int, 2> ready{};
  REQUIRE(::pipe2(ready.data(), O_CLOEXEC) == 0);
  pid_ = ::fork();
  if (pid_ == 0) {
    die_with_parent();
    forget_handlers();
    (void)::close(ready[0]);
    if (program == Program::init) sleep_as_init();  // closes the pipe like everything else
    (void)::close(ready[1]);                        // the parent reads the end of file
    for (;;)
      (void)::pause();
  }
  REQUIRE(pid_ > 0);
  (void)::close(ready[1]);
  char none = 0;
  const ssize_t end_of_file = ::read(ready[0], &none, 1);
  (void)::close(ready[0]);
  REQUIRE(end_of_file == 0);
  start_time_ = read_start_time(pid_).value();
}

Sleeper::~Sleeper() {
  if (pid_ == 0) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
}

bool Sleeper::is_alive() const {
  return read_start_time(pid_) == start_time_;
}

void Sleeper::become_zombie() {
  REQUIRE(::kill(pid_, SIGKILL) == 0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) == 0);
}

int Sleeper::wait_for_signal() {
  int status = 0;
  REQUIRE(::waitpid(pid_, &status, 0) == pid_);
  pid_ = 0;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

LockHolder::LockHolder(const std::string& directory, pid_t until_gone) : pid_(0) {
  std::array<int, 2> locked{};
  REQUIRE(::pipe2(locked.data(), O_CLOEXEC) == 0);
  pid_ = ::fork();
  if (pid_ == 0) {
    die_with_parent();
    const int dir = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || ::flock(dir, LOCK_EX) != 0 || ::write(locked[1], "x", 1) != 1) ::_exit(1);
    if (until_gone == 0) {
      for (;;)
        (void)::pause();
    }
    wait_for_death(until_gone);
    ::_exit(0);
  }
  REQUIRE(pid_ > 0);
  (void)::close(locked[1]);
  char ready = 0;
  const bool is_locked = ::read(locked[0], &ready, 1) == 1;
  (void)::close(locked[0]);
  REQUIRE(is_locked);
}

LockHolder::~LockHolder() {
  release();
}

void LockHolder::release() {
  if (pid_ == 0) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

spec::Record record_of(const std::string& id) {
  spec::Record record;
  record.id = id;
  record.bundle = "/bundles/" + id;
  record.rootfs = "/bundles/" + id + "/rootfs";
  record.created = "2026-08-19T10:00:00.123456789Z";
  record.cgroup_manager = "cgroupfs";
  record.annotations = {{"org.example.colour", "blue"}};
  return record;
}

spec::Record record_of(const std::string& id, const Sleeper& init) {
  spec::Record record = record_of(id);
  record.pid = init.pid();
  record.start_time = init.start_time();
  return record;
}

void put(const TempStore& root, const spec::Record& record) {
  Result<Record> begun = Record::begin(root.store(), record);
  INFO(message_of(begun));
  REQUIRE(begun.has_value());
  Record making = std::move(begun).value();
  REQUIRE(making.keep_config("{\"frozen\": true}").has_value());
  REQUIRE(making.write(record).has_value());
  making.keep();
}

void put_gate(const TempStore& root, const std::string& id) {
  const int gate = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  REQUIRE(gate >= 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = root.path_of(id) + "/gate";
  REQUIRE(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  const int bound = ::bind(gate, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  (void)::close(gate);
  REQUIRE(bound == 0);
}

Container open(const TempStore& root, const std::string& id) {
  Result<Container> opened = Container::open(root.store(), id, Container::Lock::none);
  INFO(message_of(opened));
  REQUIRE(opened.has_value());
  return std::move(opened).value();
}

void write_text(const std::string& path, std::string_view text) {
  std::ofstream file(path);
  file << text;
  file.close();
  REQUIRE(file.good());
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

std::optional<std::string> enter_private_mount_namespace() {
  static const bool entered =
      ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (entered) return std::nullopt;
  return "no private mount namespace to be had: it takes CAP_SYS_ADMIN";
}

}  // namespace capsule::container::test
