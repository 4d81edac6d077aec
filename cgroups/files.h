// A cgroup's files, opened below its directory and nowhere else (R13).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::cgroups {

// openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV: whoever may write to the tree cannot
// lead us out of it.
Result<UniqueFd> open_beneath(FdRef dir, const char* path, std::uint64_t flags);

Result<std::string> read_cgroup_file(FdRef cgroup, const char* file);
// One write(2) of the whole value; the error names the file.
Status write_cgroup_file(FdRef cgroup, const std::string& file, std::string_view value);

// The words of one line: cgroup.controllers.
Result<std::vector<std::string>> read_words(FdRef cgroup, const char* file);

// Value of `key` in "key value" lines (cgroup.events, memory.events); nullopt if it is not among them.
std::optional<std::uint64_t> find_number(std::string_view lines, std::string_view key);

// The cgroup itself (".") and what is below it, as paths relative to it, parents first. What vanishes
// meanwhile is left out. Containers can nest deeper than any path reaches: a path that is_cut is the last
// that is told of its branch, and the tree goes on below it.
Result<std::vector<std::string>> read_tree(FdRef cgroup);
bool is_cut(const std::string& path);

// True for what a read or an open says about a cgroup that was removed meanwhile.
bool is_gone(const Error& error);

}  // namespace capsule::cgroups
