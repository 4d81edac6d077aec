#include <algorithm>
#include <cerrno>

#include "cgroups/cgroup.h"
#include "cgroups/files.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

Status check_usage(FdRef cgroup, const Write& write) {
  if (write.usage_file.empty()) return {};
  const Result<std::vector<std::string>> words = read_words(cgroup, write.usage_file.c_str());
  if (!words.has_value() || words.value().empty())
    return {};  // a missing controller is reported by the write itself
  const auto usage = parse_integer<std::uint64_t>(words.value().front());
  const auto limit = parse_integer<std::uint64_t>(write.value);
  if (!usage || !limit || *limit > *usage) return {};
  return Error::wrong_state(
      cat({write.field, ": rejecting memory limit ", write.value, " <= usage ", std::to_string(*usage)}));
}

bool is_missing(const Status& status) {
  return !status.has_value() && status.error().code() == ENOENT;
}

Error missing_file(const Write& write) {
  const std::string controller = write.file.substr(0, write.file.find('.'));
  return Error::unsupported(
      cat({write.field, ": the cgroup has no file ", write.file, ": the ", controller,
           " controller is not available in it, or the kernel does not know the file"}));
}

Status apply_write(FdRef cgroup, const Write& write) {
  Status written = write_cgroup_file(cgroup, write.file, write.value);
  if (is_missing(written) && !write.fallback_file.empty()) {
    written = write_cgroup_file(cgroup, write.fallback_file, write.fallback_value);
  }
  if (!is_missing(written)) return std::move(written).context(write.field);
  if (write.optional) return {};
  return missing_file(write);
}

}  // namespace

Status apply_writes(FdRef cgroup, const std::vector<Write>& writes) {
  for (const Write& write : writes)
    TRY(check_usage(cgroup, write));
  for (auto write = writes.begin(); write != writes.end(); ++write) {
    Status written = apply_write(cgroup, *write);
    const bool comes_again = std::any_of(write + 1, writes.end(), [&](const Write& later) {
      return later.file == write->file && later.value == write->value;
    });
    if (!written.has_value() && written.error().code() == EINVAL && comes_again) continue;
    TRY(std::move(written));
  }
  return {};
}

Status Cgroup::apply(const std::vector<Write>& writes) const {
  return apply_writes(dir_, writes);
}

}  // namespace capsule::cgroups
