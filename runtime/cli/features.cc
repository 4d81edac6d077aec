#include "namespaces/plan.h"
#include "runtime/cli/app.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/output.h"
#include "runtime/cli/version.h"
#include "runtime/process/plan.h"
#include "spec/write.h"

namespace capsule::cli {
namespace {

spec::FeatureLists known_features() {
  process::SeccompNames seccomp = process::known_seccomp_names();
  return {
      .mount_options = ns::known_mount_options(),
      .capabilities = process::known_capabilities(),
      .seccomp_actions = std::move(seccomp.actions),
      .seccomp_operators = std::move(seccomp.operators),
      .seccomp_archs = std::move(seccomp.archs),
      .seccomp_known_flags = std::move(seccomp.known_flags),
      .seccomp_supported_flags = process::probe_seccomp_flags(),
      .libseccomp_version = std::move(seccomp.library_version),
      .version = std::string(version()),
      .commit = std::string(commit()),
  };
}

}  // namespace

// What the build can do, whatever the host (but for supportedFlags, which the specification wants to be this
// kernel's): engines ask at start-up, without root and without waiting.
Result<int> features(const Globals&, const Arguments& arguments) {
  TRY(parse_nothing(arguments));
  TRY(print(spec::write_features(known_features())));
  return 0;
}

}  // namespace capsule::cli
