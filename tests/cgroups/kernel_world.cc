#include "tests/cgroups/kernel_world.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <thread>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::test {
namespace {

std::string own_place(const cgroups::Facts& facts) {
  return cgroups::plan_path(std::nullopt, cat({"capsule-cgroups-test-", std::to_string(::getpid())}), facts);
}

// ---- inside the guest

int open_here(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

int mknod_here(const char* path) {
  return ::mknod(path, S_IFBLK | 0600, makedev(8, 0)) == 0 ? 0 : errno;
}

int fork_here(int count) {
  for (int i = 0; i < count; ++i) {
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        ::pause();
    }
  }
  return 0;
}

// Asks a FUSE file system whose server never answers, in a mount namespace of its own: TASK_KILLABLE, state
// D.
int ask_silent_server(int socket) {
  const int server = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (server < 0 || ::unshare(CLONE_NEWNS) < 0) return errno;
  if (::syscall(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return errno;
  const std::string options = cat({"fd=", std::to_string(server), ",rootmode=40000,user_id=0,group_id=0"});
  if (::syscall(SYS_mount, "capsule-test", "/mnt", "fuse", 0, options.c_str()) < 0) return errno;
  const int ready = 0;
  (void)::send(socket, &ready, sizeof(ready), 0);
  (void)::access("/mnt/file", F_OK);
  return EIO;  // never: the question is where it stays
}

[[noreturn]] void end_this_thread(int socket) {
  std::thread([] {
    for (;;)
      ::pause();
  }).detach();
  const int ready = 0;
  (void)::send(socket, &ready, sizeof(ready), 0);
  for (;;)
    (void)::syscall(SYS_exit, 0);
}

int obey(int socket, char what, const char* argument) {
  switch (what) {
    case 'e':
      end_this_thread(socket);
    case 'o':
      return open_here(argument);
    case 'm':
      return mknod_here(argument);
    case 'f':
      return fork_here(std::atoi(argument));
    case 'u':
      return ask_silent_server(socket);
    default:
      return EINVAL;
  }
}

[[noreturn]] void live(int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGTERM, SIG_DFL);  // Catch has handlers
  ::signal(SIGUSR1, [](int) { (void)::raise(SIGTERM); });
  const int born = 0;
  (void)::send(socket, &born, sizeof(born), MSG_NOSIGNAL);
  for (;;) {
    std::array<char, 512> order{};
    if (::recv(socket, order.data(), order.size() - 1, 0) <= 0) ::_exit(0);
    const int answer = obey(socket, order[0], order.data() + 1);
    if (::send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) < 0) ::_exit(1);
  }
}

}  // namespace

std::string why_not() {
  if (::geteuid() != 0) return "needs root";
  const auto facts = cgroups::probe_facts();
  if (!facts.has_value()) return facts.error().message();
  if (facts.value().mount.empty()) return "no cgroup2 is mounted";
  const std::string dir = facts.value().mount + own_place(facts.value());
  if (::mkdir(dir.c_str(), 0755) != 0) return "cannot make " + dir + ": " + describe_errno(errno);
  ::rmdir(dir.c_str());
  return {};
}

World::World() {
  facts = must(cgroups::probe_facts());
  real_mount_ = facts.mount;
  path_ = own_place(facts);
  facts.mount = real_mount_ + path_;
  facts.own_path = "/";
  REQUIRE(::mkdir(facts.mount.c_str(), 0755) == 0);
  facts.controllers.clear();
  const std::string offered = read("cgroup.controllers");
  for (const std::string_view line : split(offered, '\n')) {
    for (const std::string_view name : split(line, ' '))
      facts.controllers.emplace_back(name);
  }
}

World::~World() {
  const Status removed = cgroups::remove(real_mount_, path_, true, 5000);
  if (!removed.has_value()) std::fprintf(stderr, "left behind: %s\n", removed.error().message().c_str());
}

bool World::exists(const std::string& path) const {
  return ::access((facts.mount + path).c_str(), F_OK) == 0;
}

std::string World::read(const std::string& file) const {
  const std::string path = cat({facts.mount, "/", file});
  return must(read_file(FdRef::cwd(), path.c_str()));
}

uid_t World::owner(const std::string& path) const {
  return must(sys::fstatat(FdRef::cwd(), (facts.mount + path).c_str(), AT_SYMLINK_NOFOLLOW)).st_uid;
}

UniqueFd World::make(const std::string& path) const {
  REQUIRE(::mkdir((facts.mount + path).c_str(), 0755) == 0);
  return open(path);
}

UniqueFd World::open(const std::string& path) const {
  return must(cgroups::open_cgroup(facts.mount, path));
}

Guest::Guest(FdRef cgroup) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  socket_ = UniqueFd(ends[0]);
  const UniqueFd theirs(ends[1]);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    socket_.reset();
    live(theirs.get());
  }
  pidfd_ = must(sys::pidfd_open(pid_));
  REQUIRE(receive() == 0);  // before that, signals would meet the handlers of the test
  must(write_kernel_file(cgroup, "cgroup.procs", std::to_string(pid_)));
}

pid_t Guest::end_first_thread() {
  REQUIRE(ask('e', "") == 0);
  const std::string stat = cat({"/proc/", std::to_string(pid_), "/stat"});
  while (must(read_file(FdRef::cwd(), stat.c_str())).find(") Z ") == std::string::npos)
    ::usleep(100);
  const UniqueFd tasks =
      must(sys::openat(FdRef::cwd(), cat({"/proc/", std::to_string(pid_), "/task"}).c_str(), O_RDONLY));
  for (const std::string& task : must(list_directory(tasks))) {
    if (task != std::to_string(pid_)) return std::stoi(task);
  }
  return -1;
}

Guest::~Guest() {
  if (is_reaped_) return;
  (void)sys::pidfd_send_signal(pidfd_, SIGKILL);  // it may be gone already
  (void)sys::wait_exited(pidfd_);
}

int Guest::ask(char what, const std::string& argument) {
  const std::string order = what + argument;
  REQUIRE(::send(socket_.get(), order.data(), order.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(order.size()));
  return receive();
}

int Guest::receive() {
  int answer = -1;
  REQUIRE(::recv(socket_.get(), &answer, sizeof(answer), 0) == sizeof(answer));
  return answer;
}

bool Guest::sleep_uninterruptibly() {
  if (ask('u', "") != 0) return false;
  const std::string stat = cat({"/proc/", std::to_string(pid_), "/stat"});
  for (int attempt = 0; attempt < 200; ++attempt) {
    const std::string text = must(read_file(FdRef::cwd(), stat.c_str()));
    if (text.find(") D ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

int Guest::wait_signal(int timeout_ms) {
  std::array waiting{pollfd{pidfd_.get(), POLLIN, 0}};
  if (must(sys::poll(waiting, timeout_ms)) == 0) return 0;
  const sys::ExitStatus status = must(sys::wait_exited(pidfd_));
  is_reaped_ = true;
  return status.signaled ? status.code : 0;
}

}  // namespace capsule::test
