// A container as others find it: opened by id, its status derived from what the kernel says now.

#include "runtime/container/container.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/container/directory.h"
#include "runtime/container/owner.h"
#include "runtime/container/processes.h"

namespace capsule::container {
namespace {

constexpr const char* kOciVersion = "1.3.0";

// A directory without a record that can be read is not a container: a runtime was killed at the wrong moment.
Result<spec::Record> read_record(FdRef dir, const std::string& id) {
  Result<std::string> json = read_file(dir, kStateName);
  if (!json.has_value() && json.error().code() == ENOENT) {
    return Error::not_found(cat({id, ": container does not exist: its state directory has no ", kStateName,
                                 "; `delete --force` removes what is left"}));
  }
  Result<spec::Record> record = spec::read_record(TRY(std::move(json).context(id)));
  if (!record.has_value()) {
    return Error::not_found(cat({id, ": container does not exist: its ", kStateName, " cannot be read: ",
                                 record.error().message(), "; `delete --force` removes what is left"}));
  }
  return record;
}

// A `start` that was killed after it had opened the gate leaves its file. Then init is something else by now.
// Whose link we may not read is init still: it lets nobody but the host's root look.
bool runs_init(std::int64_t pid) {
  const std::string link = cat({"/proc/", std::to_string(pid), "/exe"});
  const Result<std::string> program = sys::readlinkat(FdRef::cwd(), link.c_str());
  return !program.has_value() || program.value() == cat({"/memfd:", kInitName, " (deleted)"});
}

}  // namespace

ProcessIdentity process_of(const spec::Record& record) {
  // In range: read_record refuses what is no pid; 0, of a half-made container, is none that can be opened.
  return {.pid = static_cast<pid_t>(record.pid),
          .start_time = record.start_time,
          .pidfd_inode = record.pidfd_inode};
}

std::string_view name_of(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::creating:
      return "creating";
    case ContainerStatus::created:
      return "created";
    case ContainerStatus::running:
      return "running";
    case ContainerStatus::paused:
      return "paused";
    case ContainerStatus::stopped:
      break;
  }
  return "stopped";
}

Result<Container> Container::open(const Store& store, const std::string& id, Lock lock) {
  TRY(check_id(id));
  Container opened;
  opened.path_ = directory_path(store.root(), id);
  opened.dir_ = TRY(lock == Lock::exclusive ? open_locked_directory(store.root(), id, kLockTimeoutMs)
                                            : open_directory(store.root(), id));
  opened.record_ = TRY(read_record(opened.dir_, id));
  if (opened.record_.pid == 0 && lock == Lock::none) {
    opened.being_made_ = is_locked(opened.dir_);
    // If `create` let go between our two looks, it completed the record before.
    if (!opened.being_made_) opened.record_ = TRY(read_record(opened.dir_, id));
  }
  return opened;
}

Result<Container> Container::reopen(Record record, spec::Record data) {
  Container opened;
  opened.path_ = std::move(record.path_);
  opened.dir_ = std::move(record.dir_);
  opened.record_ = std::move(data);
  TRY(lock_directory_again(opened.dir_, opened.path_, kLockTimeoutMs).context(opened.record_.id));
  return opened;
}

cgroups::RdtGroup rdt_group_of(const spec::Record& record) {
  return {.group = record.rdt_group, .is_ours = record.rdt_group_is_ours, .monitor = record.rdt_monitor};
}

ContainerStatus Container::status(bool init_lives) const {
  if (record_.pid == 0) return being_made_ ? ContainerStatus::creating : ContainerStatus::stopped;
  if (!init_lives) return ContainerStatus::stopped;
  if (is_frozen(*this)) return ContainerStatus::paused;
  const bool has_gate = sys::fstatat(dir_, kGateName, AT_SYMLINK_NOFOLLOW).has_value();
  return has_gate && runs_init(record_.pid) ? ContainerStatus::created : ContainerStatus::running;
}

Result<Pidfd> Container::init() const {
  Result<Pidfd> init = Pidfd::open(process_of(record_));
  if (!init.has_value() && init.error().kind() == ErrorKind::not_found) {
    return Error::wrong_state("container not running");
  }
  return init;
}

Result<std::string> Container::frozen_config() const {
  return read_file(dir_, kConfigName).context(path_);
}

Result<std::string> Container::kept_filter() const {
  return read_file(dir_, kFilterName).context(path_);
}

Result<UniqueFd> Container::cgroup() const {
  if (!has_cgroup(record_)) return Error::wrong_state("container has no cgroup");
  return cgroups::open_cgroup(record_.cgroup_mount, record_.cgroup_path)
      .context("open the container's cgroup");
}

spec::ContainerState Container::state(ContainerStatus now) const {
  return {
      .oci_version = kOciVersion,
      .id = record_.id,
      .pid = now == ContainerStatus::stopped ? 0 : record_.pid,
      .status = std::string(name_of(now)),
      .bundle = record_.bundle,
      .rootfs = record_.rootfs,
      .created = record_.created,
      .owner = {},
      .annotations = record_.annotations,
  };
}

std::string Container::owner() const {
  const Result<struct stat> info = sys::fstat(dir_);
  const uid_t uid = info.has_value() ? info.value().st_uid : record_.owner_uid;
  const Result<std::string> passwd = read_file(FdRef::cwd(), "/etc/passwd");
  const std::optional<std::string> name =
      passwd.has_value() ? find_user_name(passwd.value(), uid) : std::nullopt;
  return name.value_or("#" + std::to_string(uid));
}

}  // namespace capsule::container
