#include "runtime/launch/id_maps.h"

#include <cerrno>
#include <cstdlib>

#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "runtime/launch/map_helper.h"

namespace capsule::launch {
namespace {

struct MapFile {
  const char* file;          // of /proc/PID
  const char* helper;        // who may write it when we may not
  const char* ranges;        // where that looks up what it may write
  const char* json_pointer;  // what asked for it
};
constexpr MapFile kUids{"uid_map", "newuidmap", "/etc/subuid", "/linux/uidMappings"};
constexpr MapFile kGids{"gid_map", "newgidmap", "/etc/subgid", "/linux/gidMappings"};

Status write_proc_of(pid_t pid, std::string_view file, std::string_view bytes) {
  const std::string path = cat({"/proc/", std::to_string(pid), "/", file});
  return write_kernel_file(FdRef::cwd(), path.c_str(), bytes);
}

Status have_helper_write(const MapFile& map, pid_t pid, std::string_view lines) {
  const std::string helper = find_helper(map.helper, std::getenv("PATH"));
  if (helper.empty()) {
    return Error::unsupported(cat({"the kernel lets this user map no more than its own id, and ", map.helper,
                                   ", which may do more, is not in PATH (package uidmap)"}));
  }
  Status written = run_map_helper(helper, pid, lines);
  if (written.has_value()) return written;
  return std::move(written).error().hint(cat({"the ranges of each user are listed in ", map.ranges}));
}

// From outside, while the child waits: a process may not write a map of several ranges for itself.
Status write_map(const MapFile& map, pid_t pid, std::string_view lines) {
  Status written = write_proc_of(pid, map.file, lines);
  const bool is_refused =
      !written.has_value() && (written.error().code() == EPERM || written.error().code() == EACCES);
  if (is_refused) written = have_helper_write(map, pid, lines);
  return std::move(written).context(map.json_pointer);
}

}  // namespace

Status write_id_maps(const CreatePlan& plan, pid_t pid) {
  if (plan.denies_setgroups) TRY(write_proc_of(pid, "setgroups", "deny").context(kGids.json_pointer));
  TRY(write_map(kUids, pid, plan.uid_map));
  return write_map(kGids, pid, plan.gid_map);
}

}  // namespace capsule::launch
