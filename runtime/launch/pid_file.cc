#include "runtime/launch/pid_file.h"

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/launch/donations.h"

namespace capsule::launch {

PidFile::~PidFile() {
  if (!path_.empty())
    (void)sys::unlinkat(FdRef::cwd(), path_.c_str(), 0);  // somebody else removed it: just as well
}

Result<PidFile> PidFile::write(const std::string& path, pid_t pid) {
  PidFile file;
  if (path.empty()) return file;
  TRY(replace_file_at_path(path, std::to_string(pid), 0644).context("pid file"));
  file.path_ = path;
  return file;
}

Status send_pidfd(const std::string& path, FdRef pidfd, std::string_view payload) {
  if (path.empty()) return {};
  const UniqueFd socket = TRY(connect_to_listener(path).context("pidfd socket"));
  return sys::send_with_fd(socket, {payload.data(), payload.size()}, pidfd.get()).context("pidfd socket");
}

}  // namespace capsule::launch
