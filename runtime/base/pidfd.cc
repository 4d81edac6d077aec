#include "runtime/base/pidfd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <poll.h>
#include <span>

#include "runtime/base/file.h"
#include "runtime/base/kernel_abi.h"
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

std::uint64_t read_pidfd_inode(FdRef pidfd) {
  // Elsewhere all pidfds share one inode, of a file system of things that have none.
  const Result<long> type = sys::fstatfs_type(pidfd);
  if (!type.has_value() || type.value() != abi::kPidfsMagic) return 0;
  const Result<struct stat> info = sys::fstat(pidfd);
  return info.has_value() ? info.value().st_ino : 0;
}

bool lives(const ProcessIdentity& process) {
  if (process.pidfd_inode != 0) return Pidfd::open(process).has_value();
  return process.pid > 0 && read_start_time(process.pid) == process.start_time;
}

Result<Pidfd> Pidfd::open(const ProcessIdentity& process) {
  if (process.pid <= 0) return Error::not_found("no such process");
  Result<UniqueFd> fd = sys::pidfd_open(process.pid);
  if (!fd.has_value()) {
    if (fd.error().code() == ESRCH) return Error::not_found("no such process");
    return std::move(fd).error();
  }
  Pidfd opened(std::move(fd).value(), process);
  // Checked after opening: if the pid was reused, it was before.
  if (!TRY(opened.is_as_named())) return Error::not_found("no such process");
  return opened;
}

Result<bool> Pidfd::is_as_named() const {
  if (process_.pidfd_inode == 0) return read_start_time(process_.pid) == process_.start_time;
  const struct stat info = TRY(sys::fstat(fd_));
  return info.st_ino == process_.pidfd_inode && !TRY(wait_gone(0));
}

Status Pidfd::signal(int number) const {
  return sys::pidfd_send_signal(fd_, number);
}

Result<bool> Pidfd::wait_gone(int timeout_ms) const {
  std::array waiting{pollfd{fd_.get(), POLLIN, 0}};
  return TRY(sys::poll(waiting, timeout_ms)) > 0;
}

}  // namespace capsule
