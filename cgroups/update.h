// The limits of a cgroup that is in use, changed: what is asked for, merged with what was; and put back if a
// part of it cannot be had.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cgroups/plan.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

// ---- pure

// `old` with the members that `change` has. Where config.json writes 0 for "not given" (limits of memory,
// quota, period, shares, weights) 0 changes nothing. Lists are merged by what they name: device, page size,
// file. The device rules stay as they are: they are no file, and `change` cannot tell "none" from "as
// before".
//   memory   a new limit leaves the swap beyond it alone: `swap`, the sum, moves along; -1 lifts both
spec::LinuxResources merge_resources(const spec::LinuxResources& old, const spec::LinuxResources& change);

struct Update {
  spec::LinuxResources resources;  // merged: what the container has from now on
  std::vector<Write> writes;       // of what `change` names alone
};
//   fails   as plan_unified does, pointers as in config.json
Result<Update> plan_update(const spec::LinuxResources& old, const spec::LinuxResources& change);

// The writes that give `file` its old content back after `written` were made to it. Flat files ("8:0 rbps=…")
// take a line a write, and a device that had none gets its defaults back.
std::vector<std::string> plan_restore(std::string_view file,
                                      std::string_view content,
                                      const std::vector<std::string>& written);

// ---- performed

// Lines written to a cgroup: puts the old values back unless kept.
class AppliedWrites {
 public:
  //   fails   as apply_writes does; then everything is as it was
  static Result<AppliedWrites> apply(FdRef cgroup, const std::vector<Write>& writes);
  AppliedWrites() = default;
  AppliedWrites(AppliedWrites&& other) noexcept;
  AppliedWrites& operator=(AppliedWrites&& other) noexcept;
  ~AppliedWrites();  // what cannot be put back is told in the log
  void keep() noexcept { undo_.clear(); }

 private:
  struct Line {
    std::string file;
    std::string value;
  };
  explicit AppliedWrites(FdRef cgroup) : cgroup_(cgroup) {}
  void remember(const std::vector<Write>& writes);
  void remember_file(const std::string& file, const std::vector<Write>& writes);

  FdRef cgroup_ = FdRef(-1);
  std::vector<Line> undo_;  // in the order in which they are to be written
};

}  // namespace capsule::cgroups
