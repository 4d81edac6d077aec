#include "runtime/cli/version.h"

#include "runtime/base/text.h"
#include "runtime/process/plan.h"

namespace capsule::cli {

std::string_view version() {
  return CAPSULE_VERSION;
}
std::string_view commit() {
  return CAPSULE_COMMIT;
}

std::string describe_version() {
  return cat({"capsule version ", version(), "\ncommit: ", commit(), "\nspec: 1.3.0\nlibseccomp: ",
              process::known_seccomp_names().library_version, "\n+CAP +SECCOMP +EBPF +CGROUP2\n"});
}

}  // namespace capsule::cli
