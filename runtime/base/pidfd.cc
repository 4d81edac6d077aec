#include "runtime/base/pidfd.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <poll.h>
#include <span>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule {

namespace {

// The kernel writes such a file whole into one read, which sees one process and not its number's next.
Result<std::size_t> read_stat(pid_t pid, std::span<char> buffer) {
  const std::string path = cat({"/proc/", std::to_string(pid), "/stat"});
  const UniqueFd file = TRY(sys::openat(FdRef::cwd(), path.c_str(), O_RDONLY));
  return sys::read(file, buffer);
}

}  // namespace

std::optional<std::uint64_t> read_start_time(pid_t pid) {
  std::array<char, 2048> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  const Result<std::size_t> got = read_stat(pid, buffer);
  if (!got.has_value()) return std::nullopt;

  // The name in field 2 may hold spaces and brackets: count fields behind its last bracket.
  const std::string_view text(buffer.data(), got.value());
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto fields = split(text.substr(name_end + 2), ' ');
  constexpr std::size_t kState = 0;       // field 3
  constexpr std::size_t kThreads = 17;    // field 20
  constexpr std::size_t kStartTime = 19;  // field 22
  if (fields.size() <= kStartTime) return std::nullopt;
  // A first thread that has ended is listed as a zombie, while the others go on and the process with them.
  const bool is_first_thread_gone = fields[kState] == "Z" || fields[kState] == "X";
  if (is_first_thread_gone && parse_integer<int>(fields[kThreads]).value_or(0) <= 1) return std::nullopt;
  return parse_integer<std::uint64_t>(fields[kStartTime]);
}

Result<Pidfd> Pidfd::open(pid_t pid, std::uint64_t start_time) {
  if (pid <= 0) return Error::not_found("no such process");
  Result<UniqueFd> fd = sys::pidfd_open(pid);
  if (!fd.has_value()) {
    if (fd.error().code() == ESRCH) return Error::not_found("no such process");
    return std::move(fd).error();
  }
  // Checked after opening: if the pid was reused, it was before, and the start time tells.
  if (read_start_time(pid) != start_time) return Error::not_found("no such process");
  return Pidfd(std::move(fd).value(), pid, start_time);
}

Status Pidfd::signal(int number) const {
  return sys::pidfd_send_signal(fd_, number);
}

Result<bool> Pidfd::wait_gone(int timeout_ms) const {
  std::array waiting{pollfd{fd_.get(), POLLIN, 0}};
  return TRY(sys::poll(waiting, timeout_ms)) > 0;
}

}  // namespace capsule
