#include "runtime/launch/id_mapped.h"

#include <fcntl.h>

#include <cerrno>
#include <csignal>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/init/raw.h"
#include "runtime/launch/spawn.h"

namespace capsule::launch {
namespace {

namespace raw = init::raw;

// Only raw system calls in the child, which goes with us if we are killed.
Result<InitProcess> spawn_sleeper() {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_NEWUSER | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = raw::call(__NR_clone3, &args, sizeof(args));
  if (pid == 0) {
    raw::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      raw::poll(nullptr, 0, nullptr);
  }
  if (pid < 0)
    return Error::system("clone3", static_cast<int>(-pid), "user namespace for an id-mapped mount");
  return InitProcess(UniqueFd(pidfd), static_cast<pid_t>(pid));
}

}  // namespace

Result<UniqueFd> make_user_namespace(const std::string& uid_map, const std::string& gid_map) {
  const InitProcess sleeper = TRY(spawn_sleeper());
  const std::string proc = cat({"/proc/", std::to_string(sleeper.pid())});
  TRY(write_kernel_file(FdRef::cwd(), cat({proc, "/uid_map"}).c_str(), uid_map).context("uidMappings"));
  TRY(write_kernel_file(FdRef::cwd(), cat({proc, "/gid_map"}).c_str(), gid_map).context("gidMappings"));
  return sys::openat(FdRef::cwd(), cat({proc, "/ns/user"}).c_str(), O_RDONLY);
}

Status set_id_map(FdRef mount, FdRef user_namespace, bool recursive, const std::string& object) {
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<std::uint64_t>(user_namespace.get());
  Status set = sys::mount_setattr(mount, recursive ? unsigned{AT_RECURSIVE} : 0U, attr, object);
  if (set.has_value() || set.error().code() != EINVAL) return set;
  return std::move(set).error().hint("the file system may not support id-mapped mounts");
}

}  // namespace capsule::launch
