// What can be asked of an existing cgroup.
#include "cgroups/cgroup.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "cgroups/files.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// A threaded cgroup refuses to list processes (EOPNOTSUPP): they belong to the domain above it, which lists
// them. Only where that is out of our sight, the threads have to do.
Result<std::string> read_members(FdRef cgroup, const std::string& path, bool is_top) {
  Result<std::string> processes = read_cgroup_file(cgroup, cat({path, "/cgroup.procs"}).c_str());
  if (processes.has_value() || processes.error().code() != EOPNOTSUPP) return processes;
  return is_top ? read_cgroup_file(cgroup, cat({path, "/cgroup.threads"}).c_str()) : std::string();
}

void append_pids(std::string_view lines, std::vector<pid_t>& pids) {
  for (const std::string_view line : split(lines, '\n')) {
    const auto pid = parse_integer<pid_t>(line);
    if (pid.value_or(0) > 0) pids.push_back(*pid);  // 0: a process of a pid namespace we cannot see into
  }
}

Status append_tree(FdRef cgroup, bool is_top, std::vector<pid_t>& pids) {
  for (const std::string& path : TRY(read_tree(cgroup))) {
    if (is_cut(path)) {
      Result<UniqueFd> below = open_beneath(cgroup, path.c_str(), O_RDONLY | O_DIRECTORY);
      if (!below.has_value() && is_gone(below.error())) continue;
      const UniqueFd deeper = TRY(std::move(below));
      TRY(append_tree(deeper, false, pids));
      continue;
    }
    Result<std::string> members = read_members(cgroup, path, is_top && path == ".");
    if (!members.has_value() && is_gone(members.error())) continue;
    append_pids(TRY(std::move(members)), pids);
  }
  return {};
}

Result<UniqueFd> open_below_mount(const std::string& mount, std::string_view path, std::uint64_t flags) {
  const UniqueFd root = TRY(sys::openat(FdRef::cwd(), mount.c_str(), O_PATH | O_DIRECTORY));
  const std::size_t first = path.find_first_not_of('/');
  const std::string below(first == std::string_view::npos ? "." : path.substr(first));
  return open_beneath(root, below.c_str(), flags);
}

}  // namespace

Result<UniqueFd> open_cgroup(const std::string& mount, const std::string& path) {
  return open_below_mount(mount, path, O_RDONLY | O_DIRECTORY).context("cgroup");
}

Result<FreezeState> read_freeze(FdRef cgroup) {
  Result<std::string> text = read_cgroup_file(cgroup, "cgroup.freeze");
  // No freezer before Linux 5.2: nothing can be frozen.
  if (!text.has_value() && text.error().code() == ENOENT) return FreezeState::thawed;
  return TRY(std::move(text)).starts_with('1') ? FreezeState::frozen : FreezeState::thawed;
}

Result<FreezeState> read_freeze(const std::string& mount, const std::string& path) {
  const UniqueFd file = TRY(open_below_mount(mount, path + "/cgroup.freeze", O_RDONLY));
  char digit = '0';
  (void)TRY(sys::read(file, {&digit, 1}));
  return digit == '1' ? FreezeState::frozen : FreezeState::thawed;
}

Result<bool> read_populated(FdRef cgroup) {
  Result<std::string> events = read_cgroup_file(cgroup, "cgroup.events");
  if (!events.has_value() && is_gone(events.error())) return false;
  return find_number(TRY(std::move(events)), "populated").value_or(0) != 0;
}

Result<std::vector<pid_t>> read_pids(FdRef cgroup) {
  std::vector<pid_t> pids;
  TRY(append_tree(cgroup, true, pids));
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

bool is_at_memory_limit(FdRef cgroup) {
  const Result<std::string> events = read_cgroup_file(cgroup, "memory.events");
  return events.has_value() && find_number(events.value(), "max").value_or(0) > 0;
}

std::uint64_t read_oom_kills(FdRef cgroup) {
  const Result<std::string> events = read_cgroup_file(cgroup, "memory.events");
  return events.has_value() ? find_number(events.value(), "oom_kill").value_or(0) : 0;
}

}  // namespace capsule::cgroups
