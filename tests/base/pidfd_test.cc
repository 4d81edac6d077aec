#include "runtime/base/pidfd.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/catch.h"

namespace capsule {
namespace {

// A child that waits to be killed; reaped at the end.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;)
        ::pause();
    }
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    (void)::kill(pid_, SIGKILL);  // gone already is as good
    (void)::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

ProcessIdentity identify(pid_t pid) {
  return {pid, read_start_time(pid).value()};
}

// As a kernel with pidfs lets one be named: the start time then has no say.
ProcessIdentity identify_by_inode(pid_t pid) {
  const Pidfd process = Pidfd::open(identify(pid)).value();
  return {pid, 0, read_pidfd_inode(process.fd())};
}

bool is_listed_as_zombie(pid_t pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat") >> std::ws, line);
  return line.find(") Z ") != std::string::npos;
}

TEST_CASE("a process has one start time as long as it lives", "[base][pidfd]") {
  const Sleeper sleeper;
  const auto first = read_start_time(sleeper.pid());
  REQUIRE(first.has_value());
  CHECK(*first > 0);
  CHECK(read_start_time(sleeper.pid()) == first);
  CHECK(*first >= read_start_time(::getpid()).value());
}

TEST_CASE("a zombie counts as gone", "[base][pidfd]") {
  const Sleeper sleeper;
  const ProcessIdentity as_named = identify(sleeper.pid());
  CHECK(lives(as_named));
  const Pidfd process = Pidfd::open(identify(sleeper.pid())).value();
  REQUIRE(process.signal(SIGKILL).has_value());
  REQUIRE(process.wait_gone(10'000).value());
  CHECK_FALSE(read_start_time(sleeper.pid()).has_value());
  CHECK(Pidfd::open(as_named).error().kind() == ErrorKind::not_found);
  CHECK_FALSE(lives(as_named));
}

TEST_CASE("a process is known by the inode of its pidfds where they have one each", "[base][pidfd]") {
  const Sleeper sleeper;
  const Sleeper other;
  const ProcessIdentity as_named = identify_by_inode(sleeper.pid());
  if (as_named.pidfd_inode == 0) return;  // before Linux 6.9
  CHECK(lives(as_named));
  CHECK(identify_by_inode(sleeper.pid()).pidfd_inode == as_named.pidfd_inode);
  CHECK(identify_by_inode(other.pid()).pidfd_inode != as_named.pidfd_inode);

  const ProcessIdentity reused{other.pid(), read_start_time(other.pid()).value(), as_named.pidfd_inode};
  CHECK_FALSE(lives(reused));
  CHECK(Pidfd::open(reused).error().kind() == ErrorKind::not_found);

  const Pidfd process = Pidfd::open(as_named).value();
  REQUIRE(process.signal(SIGKILL).has_value());
  REQUIRE(process.wait_gone(10'000).value());
  CHECK_FALSE(lives(as_named));
  REQUIRE(::waitpid(sleeper.pid(), nullptr, 0) == sleeper.pid());
  CHECK_FALSE(lives(as_named));
}

TEST_CASE("what is no pidfd has no pidfd's inode", "[base][pidfd]") {
  const UniqueFd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  CHECK(read_pidfd_inode(file) == 0);
  CHECK(read_pidfd_inode(FdRef(-1)) == 0);
}

TEST_CASE("a process lives on when its first thread has ended", "[base][pidfd]") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::thread([&] {
      (void)!::write(ready[1], "y", 1);
      for (;;)
        ::pause();
    }).detach();
    for (;;)
      (void)::syscall(SYS_exit, 0);
  }
  const auto start_time = read_start_time(pid);
  const ProcessIdentity by_inode = identify_by_inode(pid);
  char born = 'n';
  REQUIRE(::read(ready[0], &born, 1) == 1);
  while (!is_listed_as_zombie(pid))
    ::usleep(100);
  const auto later = read_start_time(pid);
  const bool goes_on = lives(by_inode);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);

  REQUIRE(start_time.has_value());
  CHECK(later == start_time);
  CHECK((goes_on || by_inode.pidfd_inode == 0));
}

TEST_CASE("the same pid with another start time is another process", "[base][pidfd]") {
  const Sleeper sleeper;
  const std::uint64_t start_time = read_start_time(sleeper.pid()).value();
  CHECK(Pidfd::open({sleeper.pid(), start_time}).has_value());
  const Result<Pidfd> other = Pidfd::open({sleeper.pid(), start_time + 1});
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().kind() == ErrorKind::not_found);
}

TEST_CASE("no process is ever found under a pid of 0 or less", "[base][pidfd]") {
  for (const pid_t pid : {0, -1}) {
    CHECK(Pidfd::open({pid, 0}).error().kind() == ErrorKind::not_found);
  }
}

TEST_CASE("waiting for a process that lives ends with its time", "[base][pidfd]") {
  const Sleeper sleeper;
  const Pidfd process = Pidfd::open(identify(sleeper.pid())).value();
  CHECK_FALSE(process.wait_gone(0).value());
  CHECK(process.pid() == sleeper.pid());
}

TEST_CASE("a name with blanks and brackets does not move the start time", "[base][pidfd]") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int comm = ::open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    const bool named = comm >= 0 && ::write(comm, "a) Z (1 2", 9) == 9;
    (void)!::write(ready[1], named ? "y" : "n", 1);
    for (;;)
      ::pause();
  }
  char named = 'n';
  REQUIRE(::read(ready[0], &named, 1) == 1);
  const auto start_time = read_start_time(pid);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(named == 'y');
  REQUIRE(start_time.has_value());
  CHECK(*start_time >= read_start_time(::getpid()).value());
}

}  // namespace
}  // namespace capsule
