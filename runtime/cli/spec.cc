#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "spec/write.h"

namespace capsule::cli {
namespace {

spec::Spec choose_spec(bool rootless) {
  return rootless ? spec::default_rootless_spec(::geteuid(), ::getegid()) : spec::default_spec();
}

std::string join_path(const std::string& directory, const std::string& name) {
  if (directory.empty() || name.substr(0, 1) == "/") return name;
  return cat({directory, "/", name});
}

Result<UniqueFd> open_output(const SpecOptions& options, const std::string& path) {
  // A config.json that somebody edited is work; a --file was named on purpose.
  const int flags = options.file.empty() ? O_EXCL : O_TRUNC;
  Result<UniqueFd> file =
      sys::openat(FdRef::cwd(), path.c_str(), O_WRONLY | O_CREAT | O_NOCTTY | flags, 0666);
  if (!file.has_value() && file.error().code() == EEXIST) {
    return Error::wrong_state("File config.json exists. Remove it first");
  }
  return file;
}

Status write_spec(const SpecOptions& options) {
  const std::string path = join_path(options.bundle, options.file.empty() ? "config.json" : options.file);
  const UniqueFd file = TRY(open_output(options, path));
  return sys::write_all(file, spec::write(choose_spec(options.rootless))).context("write ", path);
}

}  // namespace

Result<int> spec(const Globals&, const Arguments& arguments) {
  const SpecOptions options = TRY(parse_spec(arguments));
  TRY(write_spec(options).context("spec"));
  return 0;
}

}  // namespace capsule::cli
