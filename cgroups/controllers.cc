#include "cgroups/controllers.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kSubtreeControl = "cgroup.subtree_control";

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The kernel hands these down from a cgroup with processes too, and makes it threaded: no container fits
// below.
bool is_threaded(const std::string& controller) {
  constexpr std::array<std::string_view, 4> kThreaded{"cpu", "cpuset", "perf_event", "pids"};
  return std::find(kThreaded.begin(), kThreaded.end(), controller) != kThreaded.end();
}

// The root of all may hold processes and hand down everything; it has no type.
bool has_processes_in_the_way(FdRef cgroup) {
  if (!read_cgroup_file(cgroup, "cgroup.type").has_value()) return false;
  const Result<std::string> processes = read_cgroup_file(cgroup, "cgroup.procs");
  return processes.has_value() && !processes.value().empty();
}

bool is_kept_in_v1(const Facts& facts, const std::string& controller) {
  const std::string_view name = controller == "io" ? "blkio" : std::string_view(controller);
  if (!facts.own_path.empty()) return contains(facts.v1_controllers, name);
  const Result<Membership> own = read_membership();  // nobody needed it until now
  return own.has_value() && contains(own.value().v1_controllers, name);
}

// "/a/b" -> {"", "/a", "/a/b"}
std::vector<std::string> levels_of(const std::string& path) {
  std::vector<std::string> levels{""};
  for (const std::string_view name : split(path, '/')) {
    if (!name.empty()) levels.push_back(cat({levels.back(), "/", name}));
  }
  return levels;
}

bool has_controller(const Facts& facts, const std::string& level, const std::string& controller) {
  const Result<UniqueFd> cgroup = open_cgroup(facts.mount, level);
  if (!cgroup.has_value()) return false;
  const Result<std::vector<std::string>> controllers = read_words(cgroup.value(), "cgroup.controllers");
  return controllers.has_value() && contains(controllers.value(), controller);
}

// Asks the kernel once more, for its reason: "; cgroup.subtree_control of /a: device or resource busy
// (EBUSY)". Where it would agree, at a price, the answer is ours.
std::string explain_refusal(const Facts& facts, const std::string& level, const std::string& controller) {
  const Result<UniqueFd> cgroup = open_cgroup(facts.mount, level);
  if (!cgroup.has_value()) return {};
  int reason = EBUSY;
  if (!has_processes_in_the_way(cgroup.value())) {
    const Status refused = write_cgroup_file(cgroup.value(), kSubtreeControl, cat({"+", controller}));
    if (refused.has_value()) return {};
    reason = refused.error().code();
  }
  const std::string_view name = level.empty() ? std::string_view("/") : level;
  return cat({"; ", kSubtreeControl, " of ", name, ": ", describe_errno(reason),
              reason == EBUSY ? ", it has processes of its own" : ""});
}

std::string explain(const Facts& facts, const std::string& path, const std::string& controller) {
  if (!contains(facts.controllers, controller)) {
    if (is_kept_in_v1(facts, controller))
      return "which this host keeps in cgroup v1 (mounted beside cgroup2)";
    return cat({"which the kernel does not offer at ", facts.mount});
  }
  std::string above;
  for (const std::string& level : levels_of(path)) {
    if (!has_controller(facts, level, controller)) {
      return cat({"which is not delegated to ", level, explain_refusal(facts, above, controller)});
    }
    above = level;
  }
  return cat({"which was enabled in ", path, " only just now"});
}

}  // namespace

void enable_controllers(FdRef cgroup, const std::vector<std::string>& controllers) {
  std::string all;
  for (const std::string& controller : controllers)
    all.append(all.empty() ? "+" : " +").append(controller);
  if (all.empty()) return;
  const bool only_threaded = std::all_of(controllers.begin(), controllers.end(), is_threaded);
  if (only_threaded && has_processes_in_the_way(cgroup)) return;  // the others are refused by the kernel then
  if (write_cgroup_file(cgroup, kSubtreeControl, all).has_value() || has_processes_in_the_way(cgroup)) return;
  // One that is not to be had spoils the line for all.
  for (const std::string& controller : controllers) {
    (void)write_cgroup_file(cgroup, kSubtreeControl,
                            cat({"+", controller}));  // check_needs tells what matters
  }
}

Status check_needs(const Facts& facts, const std::string& path, FdRef leaf, const std::vector<Need>& needs) {
  if (needs.empty()) return {};
  const std::vector<std::string> available = TRY(read_words(leaf, "cgroup.controllers"));
  for (const Need& need : needs) {
    if (contains(available, need.controller)) continue;
    return Error::unsupported(cat({need.field, ": needs the ", need.controller, " controller, ",
                                   explain(facts, path, need.controller)}));
  }
  return {};
}

}  // namespace capsule::cgroups
