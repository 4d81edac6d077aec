#include "runtime/launch/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>

#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/interrupts.h"
#include "runtime/launch/notify_message.h"
#include "runtime/launch/processors.h"

namespace capsule::launch {
namespace {

constexpr const char* kSocketName = "notify.sock";
constexpr int kBarrierTimeoutMs = 30'000;

// Whoever the container's user is may write to it; bind(2) gives a socket the mode of its inode less the
// umask.
Status bind_for_all(FdRef socket, FdRef directory) {
  const mode_t before = ::umask(0);
  Status bound = sys::unix_bind(socket, directory, kSocketName);
  (void)::umask(before);
  return bound;
}

struct Address {
  sockaddr_un text{};
  socklen_t size = 0;
};

Address address_of(const std::string& manager) {
  Address address;
  address.text.sun_family = AF_UNIX;
  std::memcpy(address.text.sun_path, manager.data(), manager.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + manager.size());
  if (manager[0] == '@') address.text.sun_path[0] = '\0';
  return address;
}

// False: nothing more has arrived. A datagram that is too long arrives as an empty one, and descriptors that
// come along are closed by the kernel, since we have no room for them.
bool take_datagram(FdRef socket, std::string& datagram) {
  datagram.resize(kMaxNotification);
  const ssize_t got = ::recv(socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0) return false;
  const auto size = static_cast<std::size_t>(got);
  datagram.resize(size <= kMaxNotification ? size : 0);
  return true;
}

}  // namespace

Result<std::string> find_service_manager() {
  const char* value = std::getenv("NOTIFY_SOCKET");
  if (value == nullptr || *value == '\0') return std::string();
  if (is_notify_address(value)) return std::string(value);
  return Error::wrong_state(
      cat({"NOTIFY_SOCKET ", quoted(value), ": must be an absolute path or an abstract name (\"@...\")"}));
}

Status make_notify_directory(FdRef state_directory) {
  TRY(sys::mkdirat(state_directory, kNotifyDirectory, 0755).context("NOTIFY_SOCKET"));
  const UniqueFd made =
      TRY(sys::openat(state_directory, kNotifyDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return sys::fchmod(made, 0755);  // whatever the umask was
}

bool has_notify_directory(FdRef state_directory) {
  return sys::fstatat(state_directory, kNotifyDirectory, AT_SYMLINK_NOFOLLOW).has_value();
}

Result<NotifyRelay> NotifyRelay::open(FdRef state_directory, std::string manager) {
  const UniqueFd directory =
      TRY(sys::openat(state_directory, kNotifyDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  (void)sys::unlinkat(directory, kSocketName, 0);  // of a `start` that was killed
  UniqueFd socket = TRY(sys::unix_socket(SOCK_DGRAM));
  TRY(sys::fchmod(socket, 0777));
  TRY(bind_for_all(socket, directory).context("NOTIFY_SOCKET"));
  // READY=1 is worth waiting for a busy manager, but not for ever.
  const timeval patience{5, 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  return NotifyRelay(std::move(socket), std::move(manager));
}

void NotifyRelay::tell(std::string_view text, int fd, int flags) const {
  Address address = address_of(manager_);
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_name = &address.text;
  message.msg_namelen = address.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  // The container runs, whoever listens or not: a warning is all that is due.
  if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | flags) < 0)
    log::warning(Error::system("sendmsg", errno, cat({"NOTIFY_SOCKET ", manager_})).message());
}

void NotifyRelay::tell_ready(const std::string& lines, pid_t main) {
  was_ready_ = true;
  tell(cat({lines, "READY=1\nMAINPID=", std::to_string(main), "\n"}), -1, 0);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return;  // no barrier then: it only protects against our early end
  barrier_ = UniqueFd(ends[0]);
  const UniqueFd held_by_manager(ends[1]);
  tell("BARRIER=1", held_by_manager.get(), 0);
}

void NotifyRelay::pass_on(pid_t main) {
  constexpr int kAtOnce = 16;  // who floods us must not keep us from signals and terminal
  std::string datagram;
  for (int i = 0; i < kAtOnce && take_datagram(socket_, datagram); ++i) {
    const Notification told = filter_notification(datagram);
    if (told.ready) {
      tell_ready(told.lines, main);
    } else if (!told.lines.empty()) {
      tell(told.lines, -1, MSG_DONTWAIT);
    }
  }
}

void NotifyRelay::finish() {
  if (!barrier_.is_open()) return;
  std::array fds{pollfd{barrier_.get(), POLLIN, 0}};
  const Result<int> ready = sys::poll(fds, kBarrierTimeoutMs);
  if (ready.has_value() && ready.value() == 0)
    log::warning(cat({"NOTIFY_SOCKET ", manager_, ": READY=1 has not been acknowledged within 30 s"}));
  barrier_.reset();
}

Status wait_until_ready(NotifyRelay& relay, pid_t main, FdRef pidfd, FdRef interrupts) {
  leave_processor();
  for (bool ended = false; !ended && !relay.was_ready();) {
    std::array fds{pollfd{relay.fd().get(), POLLIN, 0}, pollfd{pidfd.get(), POLLIN, 0},
                   pollfd{interrupts.get(), POLLIN, 0}};
    (void)TRY(sys::poll(fds, -1));
    if (fds[2].revents != 0) TRY(check_interrupts(interrupts).context("wait for the container's READY=1"));
    ended = fds[1].revents != 0;
    relay.pass_on(main);
  }
  relay.finish();
  return {};
}

}  // namespace capsule::launch
