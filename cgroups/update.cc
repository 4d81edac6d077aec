#include "cgroups/update.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// Files that are no values: what a process list says cannot be written back.
constexpr std::array<std::string_view, 3> kNoValues = {"cgroup.procs", "cgroup.threads", "cgroup.type"};

std::string_view trimmed(std::string_view text) {
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  return text;
}

bool exists(FdRef cgroup, const std::string& file) {
  return open_beneath(cgroup, file.c_str(), O_PATH).has_value();
}

// The files that are going to be written, each once.
std::vector<std::string> files_of(FdRef cgroup, const std::vector<Write>& writes) {
  std::vector<std::string> files;
  for (const Write& write : writes) {
    const bool falls_back = !write.fallback_file.empty() && !exists(cgroup, write.file);
    const std::string& file = falls_back ? write.fallback_file : write.file;
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  return files;
}

std::vector<std::string> values_for(const std::string& file, const std::vector<Write>& writes) {
  std::vector<std::string> values;
  for (const Write& write : writes) {
    if (write.file == file) values.push_back(write.value);
    if (write.fallback_file == file) values.push_back(write.fallback_value);
  }
  return values;
}

}  // namespace

void AppliedWrites::remember_file(const std::string& file, const std::vector<Write>& writes) {
  if (std::find(kNoValues.begin(), kNoValues.end(), file) != kNoValues.end()) return;
  // Missing: the write has more to say about it. Written to only (memory.reclaim): there is nothing to undo.
  const Result<std::string> content = read_cgroup_file(cgroup_, file.c_str());
  if (!content.has_value()) return;
  for (std::string& value : plan_restore(file, content.value(), values_for(file, writes)))
    undo_.push_back({file, std::move(value)});
}

void AppliedWrites::remember(const std::vector<Write>& writes) {
  std::vector<std::string> files = files_of(cgroup_, writes);
  std::reverse(files.begin(), files.end());
  for (const std::string& file : files)
    remember_file(file, writes);
  // A cgroup that was idle for a moment has lost its weight; one that is idle has none to lose.
  if (std::find(files.begin(), files.end(), "cpu.idle") == files.end()) return;
  const Result<std::string> weight = read_cgroup_file(cgroup_, "cpu.weight");
  if (weight.has_value() && trimmed(weight.value()) != "0") remember_file("cpu.weight", {});
}

Result<AppliedWrites> AppliedWrites::apply(FdRef cgroup, const std::vector<Write>& writes) {
  AppliedWrites applied(cgroup);
  applied.remember(writes);
  TRY(apply_writes(cgroup, writes));
  return applied;
}

AppliedWrites::AppliedWrites(AppliedWrites&& other) noexcept
    : cgroup_(other.cgroup_), undo_(std::exchange(other.undo_, {})) {}

AppliedWrites& AppliedWrites::operator=(AppliedWrites&& other) noexcept {
  std::swap(cgroup_, other.cgroup_);  // what was ours is undone with `other`
  std::swap(undo_, other.undo_);
  return *this;
}

// Twice over, since some values are only taken once another is back: cpu.max.burst must not exceed the quota.
AppliedWrites::~AppliedWrites() {
  if (undo_.empty()) return;
  for (const Line& line : undo_)
    (void)write_cgroup_file(cgroup_, line.file, line.value);
  for (const Line& line : undo_) {
    const Status restored = write_cgroup_file(cgroup_, line.file, line.value);
    if (!restored.has_value()) log::warning(cat({"not put back: ", restored.error().message()}));
  }
}

}  // namespace capsule::cgroups
