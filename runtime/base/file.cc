#include "runtime/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <dirent.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule {

Result<std::string> read_fd(FdRef fd, std::string_view name) {
  std::string bytes;
  std::array<char, 4096> chunk;  // NOLINT(cppcoreguidelines-init-variables): filled by read
  for (;;) {
    const std::size_t got = TRY(sys::read(fd, chunk).context(name));
    if (got == 0) return bytes;
    bytes.append(chunk.data(), got);
  }
}

Result<std::string> read_file(FdRef dir, const char* path) {
  const UniqueFd file = TRY(sys::openat(dir, path, O_RDONLY | O_NOCTTY));
  return read_fd(file, path);
}

Result<std::string> current_directory() {
  std::array<char, PATH_MAX> name;  // NOLINT(cppcoreguidelines-init-variables): filled by getcwd
  if (::getcwd(name.data(), name.size()) == nullptr) return Error::system("getcwd", errno);
  return std::string(name.data());
}

Status visit_entries(FdRef opened, const std::function<void(std::string_view, unsigned char)>& visit) {
  alignas(struct dirent) std::array<char, 2048> buffer{};
  for (;;) {
    const std::size_t got = TRY(sys::read_entries(opened, buffer));
    if (got == 0) return {};
    for (std::size_t at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const struct dirent*>(buffer.data() + at);
      const std::string_view name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") visit(name, entry->d_type);
      at += entry->d_reclen;
    }
  }
}

Result<std::vector<std::string>> list_directory(FdRef dir) {
  // Opened anew: reading moves the offset, and `dir` may be O_PATH.
  const UniqueFd again = TRY(sys::openat(dir, ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names;
  TRY(visit_entries(again, [&](std::string_view name, unsigned char) { names.emplace_back(name); }));
  return names;
}

Status write_kernel_file(FdRef dir, const char* path, std::string_view bytes) {
  const UniqueFd file = TRY(sys::openat(dir, path, O_WRONLY | O_NOCTTY));
  return sys::write_all(file, bytes).context(path);
}

namespace {

std::string temporary_name(const std::string& name) {
  return cat({".", name, ".tmp"});
}

}  // namespace

Status stage_file(FdRef dir, const std::string& name, std::string_view bytes, mode_t mode) {
  const std::string temporary = temporary_name(name);
  const UniqueFd file =
      TRY(sys::openat(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  Status written = sys::write_all(file, bytes).context(temporary);
  if (!written.has_value())
    (void)sys::unlinkat(dir, temporary.c_str(), 0);  // the write's error is the one to tell
  return written;
}

Status commit_file(FdRef dir, const std::string& name) {
  const std::string temporary = temporary_name(name);
  Status renamed = sys::renameat(dir, temporary.c_str(), dir, name.c_str());
  if (!renamed.has_value()) (void)sys::unlinkat(dir, temporary.c_str(), 0);  // likewise
  return renamed;
}

Status replace_file(FdRef dir, const std::string& name, std::string_view bytes, mode_t mode) {
  TRY(stage_file(dir, name, bytes, mode));
  return commit_file(dir, name);
}

namespace {

// A file that gets its name when it is complete. Fails with EEXIST if the name is taken, with others where
// the file system has no O_TMPFILE.
Status create_complete(FdRef dir, const std::string& name, std::string_view bytes, mode_t mode) {
  const UniqueFd file = TRY(sys::openat(dir, ".", O_TMPFILE | O_WRONLY, mode));
  TRY(sys::write_all(file, bytes).context(name));
  // What the kernel asks a right for (CAP_DAC_READ_SEARCH, until 6.10); the other way leads through /proc.
  Status linked = sys::linkat(file, "", dir, name.c_str(), AT_EMPTY_PATH);
  if (linked.has_value() || linked.error().code() == EEXIST) return linked;
  const std::string source = cat({"/proc/self/fd/", std::to_string(file.get())});
  return sys::linkat(FdRef::cwd(), source.c_str(), dir, name.c_str(), AT_SYMLINK_FOLLOW);
}

}  // namespace

Status replace_file_at_path(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::size_t slash = path.rfind('/');
  const std::string dir_path = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const UniqueFd dir = TRY(sys::openat(FdRef::cwd(), dir_path.c_str(), O_PATH | O_DIRECTORY));
  if (create_complete(dir, name, bytes, mode).has_value()) return {};
  return replace_file(dir, name, bytes, mode);
}

}  // namespace capsule
