#include "runtime/launch/bundle.h"

#include <fcntl.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/id_maps.h"
#include "spec/read.h"
#include "spec/validate.h"

namespace capsule::launch {
namespace {

// Absolute and without links, as the kernel sees it: what `state` prints must mean the same from everywhere.
Result<std::string> resolve_directory(const std::string& path) {
  const UniqueFd dir =
      TRY(sys::openat(FdRef::cwd(), path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY));
  const std::string link = cat({"/proc/self/fd/", std::to_string(dir.get())});
  return sys::readlinkat(FdRef::cwd(), link.c_str());
}

std::string below(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : cat({bundle, "/", path});
}

Result<std::string> resolve_rootfs(const std::string& bundle, const spec::Spec& spec) {
  if (!spec.root.has_value()) return Error::invalid_config("/root", "root must be specified");
  const std::string path = below(bundle, spec.root->path);
  const Result<struct stat> info = sys::fstatat(FdRef::cwd(), path.c_str(), AT_SYMLINK_NOFOLLOW);
  if (info.has_value() && S_ISLNK(info.value().st_mode)) {
    return Error::invalid_config("/root/path", "invalid rootfs: not an absolute path, or a symlink");
  }
  Result<std::string> resolved = resolve_directory(path);
  if (resolved.has_value()) return resolved;
  return Error::invalid_config("/root/path",
                               cat({"rootfs ", quoted(path), ": ", describe_errno(resolved.error().code())}));
}

}  // namespace

Result<Bundle> load_bundle(const LaunchOptions& options) {
  Bundle bundle;
  bundle.path = TRY(resolve_directory(options.bundle).context("bundle"));
  const std::string config = options.config.empty() ? cat({bundle.path, "/config.json"}) : options.config;
  bundle.config = TRY(read_file(FdRef::cwd(), config.c_str()));
  bundle.spec = TRY(spec::read(bundle.config));
  TRY(add_automatic_maps(bundle.spec));
  TRY(spec::validate(bundle.spec));
  bundle.rootfs = TRY(resolve_rootfs(bundle.path, bundle.spec));
  return bundle;
}

}  // namespace capsule::launch
