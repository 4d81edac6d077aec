#include "runtime/launch/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/process/plan.h"

namespace capsule::launch {
namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Result<UniqueFd> open_interrupts() {
  sigset_t wishes;
  (void)::sigemptyset(&wishes);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    (void)::sigaddset(&wishes, signal);
  if (::sigprocmask(SIG_BLOCK, &wishes, nullptr) < 0) return Error::system("sigprocmask", errno);
  const int fd = ::signalfd(-1, &wishes, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return Error::system("signalfd", errno);
  return UniqueFd(fd);
}

Status check_interrupts(FdRef interrupts) {
  signalfd_siginfo info{};
  if (::read(interrupts.get(), &info, sizeof(info)) != sizeof(info)) return {};
  const auto signal = static_cast<int>(info.ssi_signo);
  if (is_ignored(signal)) return {};
  return Error::peer(cat({"interrupted (", process::describe_signal(signal), ")"}));
}

Status wait_readable(FdRef fd, FdRef interrupts, std::string_view what) {
  if (interrupts.get() < 0) return {};
  for (;;) {
    std::array fds{pollfd{fd.get(), POLLIN, 0}, pollfd{interrupts.get(), POLLIN, 0}};
    (void)TRY(sys::poll(fds, -1));
    if (fds[0].revents != 0) return {};
    Status wished = check_interrupts(interrupts);
    if (!wished.has_value()) return Error::peer(cat({wished.error().message(), " while waiting for ", what}));
  }
}

}  // namespace capsule::launch
