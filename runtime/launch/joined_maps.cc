// Whether maps that stand beside the path of a user namespace are those of that namespace. Only the files of
// a process inside show them, so a child of ours goes there and waits to be looked at.
#include <fcntl.h>
#include <sched.h>

#include <csignal>

#include "namespaces/plan.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/init/raw.h"
#include "runtime/launch/id_maps.h"
#include "runtime/launch/spawn.h"

namespace capsule::launch {
namespace {

namespace raw = init::raw;

struct JoinedUser {
  std::string path;
  std::string field;
};

// The path of a user namespace that has maps beside it.
std::optional<JoinedUser> find_joined(const spec::Spec& spec) {
  if (!spec.linux.has_value()) return std::nullopt;
  const spec::Linux& l = *spec.linux;
  if (l.uid_mappings.empty() && l.gid_mappings.empty()) return std::nullopt;
  for (std::size_t i = 0; i < l.namespaces.size(); ++i) {
    const spec::Namespace& entry = l.namespaces[i];
    if (entry.type != spec::NamespaceType::user || entry.path.value_or("").empty()) continue;
    return JoinedUser{*entry.path, cat({"/linux/namespaces/", std::to_string(i), "/path"})};
  }
  return std::nullopt;
}

// Only raw system calls in the child, which goes with us if we are killed. Its first word is what setns said.
Result<InitProcess> spawn_visitor(FdRef name_space, FdRef socket) {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = raw::call(__NR_clone3, &args, sizeof(args));
  if (pid == 0) {
    const long joined = raw::setns(name_space.get(), CLONE_NEWUSER);
    raw::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setns, which clears it
    raw::send(socket.get(), &joined, sizeof(joined));
    for (;;)
      raw::poll(nullptr, 0, nullptr);
  }
  if (pid < 0) return Error::system("clone3", static_cast<int>(-pid), "to look into a user namespace");
  return InitProcess(UniqueFd(pidfd), static_cast<pid_t>(pid));
}

Status wait_until_inside(FdRef socket, const std::string& path) {
  long joined = 0;
  const std::size_t got = TRY(sys::recv(socket, {reinterpret_cast<char*>(&joined), sizeof(joined)}));
  if (got != sizeof(joined)) return Error::peer("the process that was to look into it ended");
  if (joined < 0) return Error::system("setns", static_cast<int>(-joined), path);
  return {};
}

Status compare(const std::string& proc,
               const char* file,
               const std::vector<spec::IdMapping>& given,
               std::string_view pointer) {
  if (given.empty()) return {};
  const auto map = ns::parse_id_map(TRY(read_file(FdRef::cwd(), cat({proc, "/", file}).c_str())));
  if (map.has_value() && ns::is_same_map(*map, given)) return {};
  return Error::invalid_config(pointer,
                               "user namespaces enabled, but both namespace path and non-matching mapping "
                               "specified -- you may only provide one");
}

}  // namespace

Status check_joined_maps(const spec::Spec& spec) {
  const std::optional<JoinedUser> joined = find_joined(spec);
  if (!joined.has_value()) return {};

  const UniqueFd name_space =
      TRY(sys::openat(FdRef::cwd(), joined->path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK)
              .context(joined->field));
  sys::SocketPair pair = TRY(sys::socketpair_seqpacket());
  const InitProcess visitor = TRY(spawn_visitor(name_space, pair.theirs));
  pair.theirs.reset();
  TRY(wait_until_inside(pair.ours, joined->path).context(joined->field));

  const std::string proc = cat({"/proc/", std::to_string(visitor.pid())});
  TRY(compare(proc, "uid_map", spec.linux->uid_mappings, "/linux/uidMappings"));
  return compare(proc, "gid_map", spec.linux->gid_mappings, "/linux/gidMappings");
}

}  // namespace capsule::launch
