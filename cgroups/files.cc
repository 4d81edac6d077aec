#include "cgroups/files.h"

#include <fcntl.h>

#include <climits>
#include <dirent.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

Result<std::vector<std::string>> read_children(FdRef cgroup, const std::string& path) {
  const UniqueFd dir = TRY(open_beneath(cgroup, path.c_str(), O_RDONLY | O_DIRECTORY));
  std::vector<std::string> children;
  TRY(visit_entries(dir, [&](std::string_view name, unsigned char type) {
        if (type == DT_DIR) children.push_back(cat({path, "/", name}));
      }).context(path));
  return children;
}

}  // namespace

Result<UniqueFd> open_beneath(FdRef dir, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return sys::openat2(dir, path, how);
}

Result<std::string> read_cgroup_file(FdRef cgroup, const char* file) {
  const UniqueFd opened = TRY(open_beneath(cgroup, file, O_RDONLY));
  return read_fd(opened, file);
}

Status write_cgroup_file(FdRef cgroup, const std::string& file, std::string_view value) {
  const UniqueFd opened = TRY(open_beneath(cgroup, file.c_str(), O_WRONLY));
  return sys::write_all(opened, value).context(file);
}

Result<std::vector<std::string>> read_words(FdRef cgroup, const char* file) {
  std::string line = TRY(read_cgroup_file(cgroup, file));
  while (!line.empty() && line.back() == '\n')
    line.pop_back();
  std::vector<std::string> words;
  for (const std::string_view word : split(line, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::optional<std::uint64_t> find_number(std::string_view lines, std::string_view key) {
  for (const std::string_view line : split(lines, '\n')) {
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos && line.substr(0, space) == key) {
      return parse_integer<std::uint64_t>(line.substr(space + 1));
    }
  }
  return std::nullopt;
}

// Breadth first and one descriptor at a time: a container that nests cgroups by the thousand must not exhaust
// ours.
Result<std::vector<std::string>> read_tree(FdRef cgroup) {
  std::vector<std::string> tree{"."};
  for (std::size_t next = 0; next < tree.size(); ++next) {
    if (is_cut(tree[next])) continue;
    Result<std::vector<std::string>> children = read_children(cgroup, tree[next]);
    if (!children.has_value() && is_gone(children.error())) continue;
    for (std::string& child : TRY(std::move(children)))
      tree.push_back(std::move(child));
  }
  return tree;
}

// What is left of PATH_MAX holds one more name and a file.
bool is_cut(const std::string& path) {
  return path.size() > PATH_MAX - 2 * NAME_MAX;
}

// kernfs answers ENODEV to whoever still holds a file of a removed directory.
bool is_gone(const Error& error) {
  return error.code() == ENOENT || error.code() == ENODEV;
}

}  // namespace capsule::cgroups
