// Whole files, at once: read, and replaced atomically.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule {

// The whole content. Also for /proc and cgroup files, whose st_size is 0.
Result<std::string> read_file(FdRef dir, const char* path);
Result<std::string> read_fd(FdRef fd, std::string_view name);

Result<std::string> current_directory();  // getcwd(3)

// Names of the entries, without "." and "..", in no order.
Result<std::vector<std::string>> list_directory(FdRef dir);
// Calls `visit(name, d_type)` for each entry of the directory that was just opened, but "." and "..".
Status visit_entries(FdRef opened, const std::function<void(std::string_view, unsigned char)>& visit);

// Writes `bytes` to a kernel file (cgroup, /proc) in one write(2), as these files demand.
Status write_kernel_file(FdRef dir, const char* path, std::string_view bytes);

// Readers see the old content or the new one, never a part: written to ".<name>.tmp" beside it, then renamed.
Status replace_file(FdRef dir, const std::string& name, std::string_view bytes, mode_t mode);
// Its two halves, for whoever has time before the moment and none at it.
Status stage_file(FdRef dir, const std::string& name, std::string_view bytes, mode_t mode);
Status commit_file(FdRef dir, const std::string& name);
// The same for a path given by a user, whose directory must exist. Where nothing stands there yet, not even a
// temporary file can be seen or left behind (O_TMPFILE, linkat).
Status replace_file_at_path(const std::string& path, std::string_view bytes, mode_t mode);

}  // namespace capsule
