#include "runtime/launch/rlimits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace capsule::launch {
namespace {

constexpr uid_t kSameUser = static_cast<uid_t>(-1);
constexpr gid_t kSameGroup = static_cast<gid_t>(-1);

// Without CAP_SYS_RESOURCE, as root in most containers is, one may only limit processes of one's own user:
// prlimit(2) compares real ids. For the moment of the call ours are the process's; the effective ones, and
// with them all rights, stay.
class RealIdsOf {
 public:
  explicit RealIdsOf(const spec::User& user) : uid_(::getuid()), gid_(::getgid()) {
    (void)::setresgid(user.gid, kSameGroup, kSameGroup);  // refused: prlimit(2) is too, and tells it
    (void)::setresuid(user.uid, kSameUser, kSameUser);
  }
  RealIdsOf(const RealIdsOf&) = delete;
  RealIdsOf& operator=(const RealIdsOf&) = delete;
  ~RealIdsOf() {
    (void)::setresuid(uid_, kSameUser, kSameUser);  // our saved ids are still these: never refused
    (void)::setresgid(gid_, kSameGroup, kSameGroup);
  }

 private:
  uid_t uid_;
  gid_t gid_;
};

int set_limit(const process::ResourceLimit& limit, pid_t pid) {
  using Resource = decltype(RLIMIT_CPU);  // an enumeration with glibc, int with musl
  const rlimit value{limit.soft, limit.hard};
  return ::prlimit(pid, static_cast<Resource>(limit.resource), &value, nullptr) < 0 ? errno : 0;
}

}  // namespace

Status apply_rlimits(const std::vector<process::ResourceLimit>& rlimits, const spec::User& user, pid_t pid) {
  for (const process::ResourceLimit& limit : rlimits) {
    int err = set_limit(limit, pid);
    if (err == EPERM) {
      const RealIdsOf same(user);
      err = set_limit(limit, pid);
    }
    if (err != 0) return Error::system("prlimit", err).with({limit.field});
  }
  return {};
}

}  // namespace capsule::launch
