#include "runtime/launch/foreground.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <poll.h>
#include <string>
#include <string_view>

#include "runtime/base/sys.h"
#include "runtime/launch/processors.h"
#include "runtime/launch/terminal.h"

namespace capsule::launch {
namespace {

// One direction of the terminal: reads when it has nothing, writes when it has something, and never blocks
// the other direction.
class Relay {
 public:
  Relay(int from, int to) : from_(from), to_(to) {}

  [[nodiscard]] pollfd interest() const {
    if (!pending_.empty()) return {to_, POLLOUT, 0};
    return {from_, POLLIN, 0};
  }
  // False: this direction is over.
  bool proceed(short events) {
    if (events == 0) return from_ >= 0;
    if (pending_.empty() && !fill()) from_ = -1;
    if (!pending_.empty()) drain();
    return from_ >= 0 || !pending_.empty();
  }
  // Everything that is left, at the end.
  void finish() {
    while (fill())
      drain();
  }

 private:
  bool fill() {
    constexpr std::size_t kMost = 8192;
    buffer_.resize(kMost);
    const ssize_t got = ::read(from_, buffer_.data(), buffer_.size());
    if (got <= 0) return got < 0 && errno == EINTR;  // EIO: the last slave was closed
    pending_ = {buffer_.data(), static_cast<std::size_t>(got)};
    return true;
  }
  void drain() {
    const ssize_t wrote = ::write(to_, pending_.data(), pending_.size());
    if (wrote > 0) pending_.remove_prefix(static_cast<std::size_t>(wrote));
    if (wrote < 0 && errno != EAGAIN && errno != EINTR) pending_ = {};  // nobody reads any more
  }

  int from_, to_;
  std::string buffer_;  // made when there is something to read: most have no terminal
  std::string_view pending_;
};

// Reaps orphans of the container that became our children (PR_SET_CHILD_SUBREAPER); the process we wait for
// stays for reap().
void reap_others(pid_t ours) {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 || info.si_pid == ours)
      return;
    (void)::waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

bool is_forwarded(unsigned signal) {
  return signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH;
}

void take_signal(const SignalQueue& signals, const InitProcess& process, FdRef master) {
  signalfd_siginfo info{};
  if (::read(signals.fd().get(), &info, sizeof(info)) != sizeof(info)) return;
  if (info.ssi_signo == SIGWINCH && master.get() >= 0) copy_window_size(master);
  if (info.ssi_signo == SIGCHLD) reap_others(process.pid());
  if (is_forwarded(info.ssi_signo)) {
    (void)sys::pidfd_send_signal(process.pidfd(),
                                 static_cast<int>(info.ssi_signo));  // it may just have ended
  }
}

}  // namespace

Result<SignalQueue> SignalQueue::open() {
  constexpr sys::SignalMask kAll = ~sys::SignalMask{0};
  const sys::SignalMask before = TRY(sys::set_signal_mask(kAll));
  Result<UniqueFd> fd = sys::signalfd(kAll);
  if (!fd.has_value()) (void)sys::set_signal_mask(before);
  return SignalQueue(TRY(std::move(fd)), before);
}

SignalQueue::~SignalQueue() {
  if (fd_.is_open()) (void)sys::set_signal_mask(before_);
}

Result<int> wait_in_foreground(const SignalQueue& signals,
                               InitProcess& process,
                               UniqueFd master,
                               NotifyRelay* relay) {
  const HostTerminal terminal = master.is_open() ? TRY(HostTerminal::make_raw()) : HostTerminal();
  if (master.is_open()) {
    (void)::fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK);
  }
  Relay input(master.is_open() ? STDIN_FILENO : -1, master.get());
  Relay output(master.get(), STDOUT_FILENO);

  // What ends at once ends on our processor; who stays gets all that we had.
  constexpr int kAtOnce = 20;  // milliseconds
  int longest = kAtOnce;
  for (bool ended = false; !ended;) {
    std::array fds{pollfd{process.pidfd().get(), POLLIN, 0}, pollfd{signals.fd().get(), POLLIN, 0},
                   input.interest(), output.interest(),
                   pollfd{relay != nullptr ? relay->fd().get() : -1, POLLIN, 0}};
    (void)TRY(sys::poll(fds, longest));
    if ((fds[1].revents & POLLIN) != 0) take_signal(signals, process, master);
    if (master.is_open()) {
      (void)input.proceed(fds[2].revents);
      (void)output.proceed(fds[3].revents);
    }
    ended = (fds[0].revents & POLLIN) != 0;
    if (relay != nullptr) relay->pass_on(process.pid());
    if (!ended) leave_processor();
    longest = -1;
  }
  if (relay != nullptr) relay->finish();
  if (master.is_open()) output.finish();
  const sys::ExitStatus end = TRY(process.reap());
  return end.signaled ? 128 + end.code : end.code;
}

}  // namespace capsule::launch
