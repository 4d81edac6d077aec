#include "cgroups/remaining.h"

#include <algorithm>

#include "cgroups/cgroup.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr std::size_t kMostNamed = 10;

std::string read_of(pid_t pid, const char* file) {
  const std::string path = cat({"/proc/", std::to_string(pid), "/", file});
  Result<std::string> text = read_file(FdRef::cwd(), path.c_str());
  return text.has_value() ? std::move(text).value() : std::string();
}

// "812 sh (D, do_wait)", from "812 (sh) D …"; the bare pid once it has gone.
std::string describe_process(pid_t pid) {
  const std::string stat = read_of(pid, "stat");
  const std::size_t name_begin = stat.find('(');
  const std::size_t name_end = stat.rfind(')');
  if (name_begin == std::string::npos || name_end == std::string::npos || name_end + 2 >= stat.size()) {
    return std::to_string(pid);
  }
  const std::string_view name = std::string_view(stat).substr(name_begin + 1, name_end - name_begin - 1);
  const std::string_view state = std::string_view(stat).substr(name_end + 2, 1);
  const std::string wchan = read_of(pid, "wchan");
  const bool sleeps_known = !wchan.empty() && wchan != "0";
  return cat({std::to_string(pid), " ", name, " (", state, sleeps_known ? ", " : "",
              sleeps_known ? wchan : "", ")"});
}

}  // namespace

std::string describe_remaining(FdRef cgroup) {
  const Result<std::vector<pid_t>> pids = read_pids(cgroup);
  if (!pids.has_value()) return cat({"what remains is unknown: ", pids.error().message()});
  const std::size_t count = pids.value().size();
  if (count == 0) return "no process remains";

  std::vector<std::string> named;
  for (std::size_t i = 0; i < std::min(count, kMostNamed); ++i)
    named.push_back(describe_process(pids.value()[i]));
  if (count > kMostNamed) named.push_back(cat({"and ", std::to_string(count - kMostNamed), " more"}));
  return cat(
      {std::to_string(count), count == 1 ? " process remains: " : " processes remain: ", join(named, ", ")});
}

}  // namespace capsule::cgroups
