#include "runtime/launch/bundle.h"

#include <fcntl.h>

#include "namespaces/lexical.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/id_maps.h"
#include "spec/validate.h"

namespace capsule::launch {
namespace {

// The kernel's own word for a directory: absolute and without links.
Result<std::string> ask_for_name(const char* path) {
  const UniqueFd dir = TRY(sys::openat(FdRef::cwd(), path, O_PATH | O_DIRECTORY));
  const std::string link = cat({"/proc/self/fd/", std::to_string(dir.get())});
  return sys::readlinkat(FdRef::cwd(), link.c_str());
}

// An absolute path to a directory with no link on its way means what it says, and is found out in a fraction
// of the time; "" for any other.
std::string resolve_without_links(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const bool plain = path.starts_with('/') && sys::openat2(FdRef::cwd(), path.c_str(), how).has_value();
  return plain ? ns::clean_path(path) : std::string();
}

// As the kernel sees it: what `state` prints must mean the same from everywhere.
Result<std::string> resolve_bundle(const std::string& path) {
  if (std::string plain = resolve_without_links(path); !plain.empty()) return plain;
  if (!path.empty() && path != ".") return ask_for_name(path.c_str());
  Result<std::string> here = current_directory();
  return here.has_value() ? std::move(here) : ask_for_name(".");
}

std::string below(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : cat({bundle, "/", path});
}

Result<std::string> resolve_rootfs(const std::string& bundle, const spec::Spec& spec) {
  if (!spec.root.has_value()) return Error::invalid_config("/root", "root must be specified");
  const std::string path = below(bundle, spec.root->path);
  if (std::string plain = resolve_without_links(path); !plain.empty()) return plain;
  const Result<struct stat> info = sys::fstatat(FdRef::cwd(), path.c_str(), AT_SYMLINK_NOFOLLOW);
  if (info.has_value() && S_ISLNK(info.value().st_mode)) {
    return Error::invalid_config("/root/path", "invalid rootfs: not an absolute path, or a symlink");
  }
  Result<std::string> resolved = ask_for_name(path.c_str());
  if (resolved.has_value()) return resolved;
  return Error::invalid_config("/root/path",
                               cat({"rootfs ", quoted(path), ": ", describe_errno(resolved.error().code())}));
}

}  // namespace

Result<Bundle> load_bundle(const LaunchOptions& options, const spec::Foresee& foresee) {
  Bundle bundle;
  bundle.path = TRY(resolve_bundle(options.bundle).context("bundle"));
  const std::string config = options.config.empty() ? cat({bundle.path, "/config.json"}) : options.config;
  bundle.config = TRY(read_file(FdRef::cwd(), config.c_str()));
  bundle.spec = TRY(spec::read(bundle.config, foresee));
  TRY(add_automatic_maps(bundle.spec));
  TRY(spec::validate(bundle.spec));
  bundle.rootfs = TRY(resolve_rootfs(bundle.path, bundle.spec));
  return bundle;
}

}  // namespace capsule::launch
