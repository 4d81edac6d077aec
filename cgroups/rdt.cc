#include "cgroups/rdt.h"

#include <fcntl.h>

#include <cerrno>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kPointer = "/linux/intelRdt";
constexpr mode_t kGroupMode = 0755;
constexpr mode_t kFileMode = 0644;  // of files that the kernel has made already

// O_CREAT for the sake of tests on ordinary directories: resctrl refuses to make files.
Status write_group_file(const std::string& path, std::string_view bytes) {
  const UniqueFd file =
      TRY(sys::openat(FdRef::cwd(), path.c_str(), O_WRONLY | O_CREAT | O_NOCTTY | O_NOFOLLOW, kFileMode));
  return sys::write_all(file, bytes).context(path);
}

// resctrl explains its refusals in a file: "Mask f80000 has more bits than the 20 supported".
Error explained(Error error, const std::string& mount) {
  const std::string path = cat({mount, "/info/last_cmd_status"});
  const Result<std::string> status = read_file(FdRef::cwd(), path.c_str());
  if (!status.has_value()) return error;
  std::string_view words = status.value();
  while (words.ends_with('\n'))
    words.remove_suffix(1);
  return words.empty() || words == "ok" ? std::move(error) : std::move(error).hint(words);
}

Status remove_directory(const std::string& path) {
  if (path.empty()) return {};
  Status removed = sys::unlinkat(FdRef::cwd(), path.c_str(), AT_REMOVEDIR);
  const bool is_gone = !removed.has_value() && removed.error().code() == ENOENT;
  return is_gone ? Status() : std::move(removed);
}

// At delete all processes of the container are gone, so whoever is left is somebody else's.
bool is_in_use(const std::string& group) {
  const Result<std::string> tasks = read_file(FdRef::cwd(), cat({group, "/tasks"}).c_str());
  return tasks.has_value() && !tasks.value().empty();
}

Status make_groups(const RdtPlan& plan) {
  if (plan.creates) TRY(sys::mkdirat(FdRef::cwd(), plan.group.c_str(), kGroupMode));
  return {};
}

Status fill_groups(const RdtPlan& plan) {
  if (!plan.schemata.empty()) TRY(write_group_file(cat({plan.group, "/schemata"}), plan.schemata));
  if (!plan.monitor.empty()) TRY(sys::mkdirat(FdRef::cwd(), plan.monitor.c_str(), kGroupMode));
  return {};
}

}  // namespace

Result<RdtFacts> probe_rdt_group(const spec::IntelRdt& rdt, std::string_view id, std::string mount) {
  RdtFacts facts{.mount = std::move(mount)};
  if (facts.mount.empty()) return facts;
  const std::string path = cat({rdt_group_path(rdt, id, facts.mount), "/schemata"});
  Result<std::string> schemata = read_file(FdRef::cwd(), path.c_str());
  if (!schemata.has_value() && schemata.error().code() == ENOENT) return facts;
  facts.schemata = TRY(std::move(schemata).context(kPointer));
  facts.group_exists = true;
  return facts;
}

Result<RdtFacts> probe_rdt(const spec::IntelRdt& rdt, std::string_view id) {
  const std::string mounts = TRY(read_file(FdRef::cwd(), "/proc/self/mountinfo"));
  return probe_rdt_group(rdt, id, find_resctrl(mounts));
}

RdtGroup rdt_group_of(const RdtPlan& plan) {
  return {.group = plan.group, .is_ours = plan.creates, .monitor = plan.monitor};
}

Status enter_rdt(const RdtGroup& rdt, pid_t pid) {
  if (rdt.group.empty()) return {};
  const std::string number = std::to_string(pid);
  TRY(write_group_file(cat({rdt.group, "/tasks"}), number).context(kPointer));
  if (rdt.monitor.empty()) return {};
  return write_group_file(cat({rdt.monitor, "/tasks"}), number).context(kPointer);
}

Result<std::string> read_schemata(const RdtGroup& rdt) {
  if (!rdt.is_ours) {
    return Error::wrong_state(cat({kPointer, ": the shares of ", quoted(rdt.group),
                                   " are not the container's to change: the group was not made for it"}));
  }
  return read_file(FdRef::cwd(), cat({rdt.group, "/schemata"}).c_str()).context(kPointer);
}

Status write_schemata(const RdtGroup& rdt, std::string_view schemata) {
  Status written = write_group_file(cat({rdt.group, "/schemata"}), schemata);
  if (written.has_value()) return written;
  const std::string mount = rdt.group.substr(0, rdt.group.rfind('/'));
  return explained(std::move(written).error(), mount).with({kPointer});
}

Status remove_rdt(const RdtGroup& rdt) {
  TRY(remove_directory(rdt.monitor).context("remove the monitoring group"));
  if (!rdt.is_ours || is_in_use(rdt.group)) return {};
  return remove_directory(rdt.group).context("remove the resctrl group");
}

RdtOwner::~RdtOwner() {
  (void)remove_rdt(rdt_);  // a failure is under way already, and this one would hide it
}

Result<RdtOwner> RdtOwner::create(const RdtPlan& plan) {
  RdtOwner owner;
  if (plan.group.empty()) return owner;
  TRY(make_groups(plan).context(kPointer));
  owner.rdt_ = {.group = plan.group, .is_ours = plan.creates};
  Status filled = fill_groups(plan);
  if (!filled.has_value()) return explained(std::move(filled).error(), plan.mount).with({kPointer});
  owner.rdt_.monitor = plan.monitor;
  return owner;
}

}  // namespace capsule::cgroups
