#include "runtime/base/user_namespace.h"

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule {
namespace {

constexpr ino_t kInitialUserNamespace = 0xEFFFFFFDU;  // PROC_USER_INIT_INO of the kernel, since Linux 3.8

}  // namespace

// One call, on the way of every start; the map of ids would be three, and can look like the machine's.
bool is_in_user_namespace() {
  const Result<struct stat> own = sys::fstatat(FdRef::cwd(), "/proc/self/ns/user", 0);
  return own.has_value() && own.value().st_ino != kInitialUserNamespace;
}

bool is_setgroups_denied(std::string_view process) {
  const Result<std::string> said = read_file(FdRef::cwd(), cat({"/proc/", process, "/setgroups"}).c_str());
  return said.has_value() && said.value() == "deny\n";
}

}  // namespace capsule
