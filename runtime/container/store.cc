// Where the containers of this user are, and how they may be called.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <string_view>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/base/user_namespace.h"
#include "runtime/container/container.h"
#include "runtime/container/directory.h"

namespace capsule::container {
namespace {

constexpr std::string_view kRootOfRoot = "/run/capsule";

bool is_id_character(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '.';
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Rootless engines call us as root of their own user namespace, and with as good as no environment: without
// USER we are one of them.
bool belongs_to_user() {
  return ::geteuid() != 0 || (environment("USER") != "root" && is_in_user_namespace());
}

Result<std::string> default_root() {
  const std::string_view runtime_dir = environment("XDG_RUNTIME_DIR");
  if (belongs_to_user() && runtime_dir.starts_with('/')) return cat({runtime_dir, "/capsule"});
  if (::geteuid() == 0) return std::string(kRootOfRoot);
  return Error::not_found(
      "no directory for the state of containers: set XDG_RUNTIME_DIR to an absolute path, or give --root");
}

Result<std::string> absolute_root(std::string_view root) {
  std::string path(root);
  if (!root.starts_with('/')) {
    path = cat({TRY(current_directory()), "/", root});
  }
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  if (root.empty() || path == "/")
    return Error::unsupported(cat({"--root ", quoted(root), ": must name a directory of its own"}));
  return path;
}

// Some file systems do not tell the type of what they list.
bool is_directory(FdRef root, const std::string& name, unsigned char type) {
  if (type != DT_UNKNOWN) return type == DT_DIR;
  const Result<struct stat> info = sys::fstatat(root, name.c_str(), AT_SYMLINK_NOFOLLOW);
  return info.has_value() && S_ISDIR(info.value().st_mode);
}

}  // namespace

Status check_id(std::string_view id) {
  if (id.empty()) return Error::wrong_state("container id cannot be empty");
  const bool is_clean = std::all_of(id.begin(), id.end(), is_id_character);
  if (!is_clean || id == "." || id == "..") {
    return Error::wrong_state(
        cat({"invalid container ID format: ", quoted(id), ": only letters, digits and _ + - . are allowed"}));
  }
  if (id.size() > NAME_MAX) {
    return Error::wrong_state(
        cat({"invalid container ID format: ", std::to_string(id.size()), " characters are more than the ",
             std::to_string(NAME_MAX), " of a file name"}));
  }
  return {};
}

Result<Store> Store::open(std::optional<std::string> root) {
  const bool is_default = !root.has_value();
  std::string path = TRY(is_default ? default_root() : absolute_root(*root));
  return Store(std::move(path), is_default);
}

mode_t Store::root_mode() const {
  return is_default_ && root_ != kRootOfRoot ? 01700 : 0711;
}

Result<std::vector<std::string>> Store::ids() const {
  Result<UniqueFd> dir = sys::openat(FdRef::cwd(), root_.c_str(), O_RDONLY | O_DIRECTORY);
  if (!dir.has_value() && dir.error().code() == ENOENT && is_default_) return std::vector<std::string>();
  const UniqueFd root = TRY(std::move(dir).context("--root"));

  std::vector<std::string> ids;
  TRY(visit_entries(root, [&](std::string_view name, unsigned char type) {
    if (is_directory(root, std::string(name), type) && check_id(name).has_value()) ids.emplace_back(name);
  }));
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace capsule::container
