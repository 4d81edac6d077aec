#include "runtime/launch/terminal.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace capsule::launch {

HostTerminal::~HostTerminal() {
  if (before_.has_value())
    (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);  // the terminal may be gone by now
}

Result<HostTerminal> HostTerminal::make_raw() {
  HostTerminal terminal;
  termios mode{};
  if (::tcgetattr(STDIN_FILENO, &mode) < 0) return terminal;  // not a terminal
  const termios before = mode;
  ::cfmakeraw(&mode);
  if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) < 0)
    return Error::system("tcsetattr", errno, "standard input");
  terminal.before_ = before;
  return terminal;
}

void copy_window_size(FdRef master) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) return;
  (void)::ioctl(master.get(), TIOCSWINSZ, &size);  // the pty may have been closed
}

Result<UniqueFd> receive_master(FdRef socket) {
  std::array<char, 256> name{};
  iovec part{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return Error::system("recvmsg", errno, "console");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS)
    return Error::peer("container init sent no terminal");
  int master = -1;
  std::memcpy(&master, CMSG_DATA(header), sizeof(master));
  copy_window_size(FdRef(master));
  return UniqueFd(master);
}

}  // namespace capsule::launch
