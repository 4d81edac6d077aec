// The record of a container that is being made. It is on disk before there is anything to clean up, and goes
// with whatever failed.

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "runtime/base/file.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/sys.h"
#include "runtime/container/container.h"
#include "runtime/container/directory.h"

namespace capsule::container {
namespace {

constexpr mode_t kDirectoryMode =
    0711;  // init, which may be another user inside, has to get through to the gate

// mkdir -p: an engine's --root may be several levels below what exists. Whatever exists keeps its mode.
Status make_directories(const std::string& path, mode_t mode) {
  Status made = sys::mkdirat(FdRef::cwd(), path.c_str(), mode);
  if (!made.has_value() && made.error().code() == ENOENT && path.rfind('/') > 0) {
    TRY(make_directories(path.substr(0, path.rfind('/')), kDirectoryMode));
    made = sys::mkdirat(FdRef::cwd(), path.c_str(), mode);
  }
  if (!made.has_value() && made.error().code() == EEXIST) return {};
  TRY(std::move(made));
  const UniqueFd dir = TRY(sys::openat(FdRef::cwd(), path.c_str(), O_RDONLY | O_DIRECTORY));
  return sys::fchmod(dir, mode);  // whatever the umask was
}

Error already_exists(const std::string& id) {
  return Error::wrong_state("container with given ID already exists").with({id});
}

// The root is looked for only where it is missing: nearly always it is there.
Status make_own_directory(const Store& store, const std::string& path, const std::string& id) {
  Status made = sys::mkdirat(FdRef::cwd(), path.c_str(), kDirectoryMode);
  if (!made.has_value() && made.error().code() == ENOENT) {
    TRY(make_directories(store.root(), store.root_mode()).context("make the state directory"));
    made = sys::mkdirat(FdRef::cwd(), path.c_str(), kDirectoryMode);
  }
  if (!made.has_value() && made.error().code() == EEXIST) return already_exists(id);
  return made;
}

// Between mkdir and the lock a `delete --force` may remove the directory, and another `create` make it again.
// So the lock and the absence of a record decide whose it is.
Result<UniqueFd> open_own_directory(const std::string& root, const std::string& id) {
  Result<UniqueFd> dir = open_locked_directory(root, id, kLockTimeoutMs);
  if (!dir.has_value()) {
    (void)sys::unlinkat(FdRef::cwd(), directory_path(root, id).c_str(), AT_REMOVEDIR);  // empty or not ours
    return std::move(dir).context("lock the state directory");
  }
  if (sys::fstatat(dir.value(), kStateName, AT_SYMLINK_NOFOLLOW).has_value()) return already_exists(id);
  return dir;
}

}  // namespace

Result<Record> Record::begin(const Store& store, spec::Record record) {
  TRY(check_id(record.id));
  Record begun;
  begun.path_ = directory_path(store.root(), record.id);
  TRY(make_own_directory(store, begun.path_, record.id));
  begun.dir_ = TRY(open_own_directory(store.root(), record.id));
  begun.kept_ = false;

  TRY(sys::fchmod(begun.dir_, kDirectoryMode));
  record.pid = 0;
  record.start_time = 0;
  TRY(begun.write(record));
  return begun;
}

Record::Record(Record&& other) noexcept
    : dir_(std::move(other.dir_)), path_(std::move(other.path_)), kept_(std::exchange(other.kept_, true)) {}

Record& Record::operator=(Record&& other) noexcept {
  std::swap(dir_, other.dir_);  // what was ours goes with `other`
  std::swap(path_, other.path_);
  std::swap(kept_, other.kept_);
  return *this;
}

Record::~Record() {
  // Whoever fails has its own error to tell; what cannot be removed now, `delete --force` finds.
  if (!kept_) (void)erase_directory(dir_, path_);
}

bool Record::is_in_memory() const {
  const Result<long> type = sys::fstatfs_type(dir_);
  return type.has_value() && type.value() == abi::kTmpfsMagic;
}

Status Record::write(const spec::Record& record) {
  TRY(prepare(record));
  return commit();
}

Status Record::prepare(const spec::Record& record) {
  return stage_file(dir_, kStateName, spec::write_record(record), kFileMode)
      .context("write the record in ", path_);
}

Status Record::keep_config(std::string_view json) {
  return put(kConfigName, json);
}

Status Record::keep_filter(std::string_view encoded) {
  return put(kFilterName, encoded);
}

// In place, for nobody reads such a file before the record names a process.
Status Record::put(const char* name, std::string_view bytes) {
  const UniqueFd file =
      TRY(sys::openat(dir_, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode).context(path_));
  return sys::write_all(file, bytes).context(path_, "/", name);
}

Status Record::commit() {
  return commit_file(dir_, kStateName).context("write the record in ", path_);
}

Status Record::unlock() {
  return unlock_directory(dir_).context(path_);
}

void Record::keep() noexcept {
  kept_ = true;
}

}  // namespace capsule::container
