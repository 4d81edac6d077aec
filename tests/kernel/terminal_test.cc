#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <termios.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;

// The name and the descriptor in one message, as engines receive them.
std::string receive_master(int socket, int* master) {
  std::array<char, 64> name{};
  iovec part{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_DONTWAIT) < 0) return "nothing";
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return "no descriptor";
  std::memcpy(master, CMSG_DATA(header), sizeof(*master));
  return name.data();
}

void add_devpts(Builder& builder) {
  builder.add("/mounts/2", plan::MountFilesystem{.target = builder.text("/dev/pts"),
                                                 .type = builder.text("devpts"),
                                                 .source = builder.text("devpts"),
                                                 .options = builder.list({"newinstance", "ptmxmode=0666"}),
                                                 .flags = plan::kMountCreateTarget});
}

std::string talk_over(int master) {
  constexpr std::string_view kWords = "typed\n";
  if (::write(master, kWords.data(), kWords.size()) < 0) return "write failed";
  std::array<char, 64> line{};
  const ssize_t got = ::read(0, line.data(), line.size());
  return {line.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
}

TEST_CASE("a terminal is the process's standard streams, and its master is sent away", "[kernel][terminal]") {
  CHECK(in_new_namespaces([] {
          ::setsid();
          make_directory("/tmp/root");
          int ends[2];
          if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
            return std::string("socketpair");
          Builder builder;
          const std::uint16_t slot = builder.donate({.kind = plan::Donation::Kind::console_socket});
          add_root(builder);
          add_proc(builder);
          add_devpts(builder);
          builder.add("/process/terminal",
                      plan::Console{.slot = slot, .height = 40, .width = 120, .mount_console = 1});
          builder.add("", plan::Pivot{});
          Performance performance(builder);
          performance.set_descriptor(slot, ends[1]);
          std::string found = performance.perform();

          int master = -1;
          found += receive_master(ends[0], &master);
          winsize size{};
          (void)::ioctl(0, TIOCGWINSZ, &size);
          found += " " + std::to_string(size.ws_row) + "x" + std::to_string(size.ws_col);
          found += " " + look_at("/dev/console") + " " + look_at("/dev/pts/0");
          for (int fd = 0; fd < 3; ++fd)
            found += ::isatty(fd) == 1 ? " tty" : " other";
          found += ::tcgetsid(0) == ::getpid() ? " ours " : " not ours ";
          return found + talk_over(master);
        }) == "/dev/pts/0 40x120 char 136:0 char 136:0 tty tty tty ours typed\n");
}

TEST_CASE("what an image has in the place of the multiplexer is not used", "[kernel][terminal]") {
  CHECK(in_new_namespaces([] {
          make_file("/tmp/root/dev/pts/ptmx", "fake", 0666);
          const std::string failed = perform_in_root([](Builder& builder) {
            builder.add("/process/terminal", plan::Console{.slot = plan::kGateSlot});
          });
          return failed;
        }) == "step 1 console /process/terminal: problem " +
                  std::to_string(static_cast<int>(protocol::Problem::not_a_pty)) + " fstat /dev/pts/ptmx 0");
}

std::string owner_of(int fd) {
  struct stat info {};
  (void)::fstat(fd, &info);
  return std::to_string(info.st_uid);
}

TEST_CASE("pipes are given to the user, so that /dev/stdout can be opened again", "[kernel][terminal]") {
  if (!has_many_ids()) {
    WARN("skipped: only root can map more ids than one");
    return;
  }
  CHECK(in_new_namespaces([] {
          int in[2], out[2];
          if (::pipe(in) < 0 || ::pipe(out) < 0) return std::string("pipe");
          ::dup2(in[0], 0);
          ::dup2(out[1], 1);
          ::close(2);
          Builder builder;
          builder.add("", plan::Stdio{.uid = 1000});
          const std::string failed = Performance(builder).perform();
          return failed + owner_of(0) + " " + owner_of(1) + " " +
                 (::fcntl(2, F_GETFD) < 0 ? "closed" : "open");
        }) == "1000 1000 closed");
}

TEST_CASE("a null device of the host is exchanged for the container's own", "[kernel][terminal]") {
  CHECK(in_new_namespaces([] {
          make_directory("/tmp/root");
          const int null = ::open("/dev/null", O_RDWR);
          for (int fd = 0; fd < 3; ++fd)
            ::dup2(null, fd);
          ::close(null);
          const std::string failed = perform_in_root([](Builder& builder) {
            add_proc(builder);
            builder.add("", plan::OpenDev{});
            builder.add("", plan::DeviceNode{.target = builder.text("/dev/null"),
                                             .mode = S_IFCHR | 0666U,
                                             .flags = plan::kNodeBind,
                                             .major = 1,
                                             .minor = 3});
            builder.add("", plan::Pivot{});
            builder.add("", plan::Stdio{});
          });
          // A file of a mount that is gone has no path; the container's own has.
          return failed + look_at("/proc/self/fd/0") + " " + look_at("/proc/self/fd/1") + " " +
                 look_at("/proc/self/fd/2");
        }) == "link /dev/null link /dev/null link /dev/null");
}

}  // namespace
}  // namespace capsule::test
