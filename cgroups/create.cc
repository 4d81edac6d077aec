// Making a cgroup: level by level, so that each parent hands its controllers down before the child exists.
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "cgroups/cgroup.h"
#include "cgroups/controllers.h"
#include "cgroups/files.h"
#include "cgroups/wait.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr mode_t kMode = 0755;
constexpr int kUndoTimeoutMs = 2000;

// Somebody else may be removing the level above us: then it is made again. A loop of removals must not hold
// us for ever.
constexpr int kMostAttempts = 8;

Status check_free(FdRef cgroup) {
  const std::size_t count = TRY(read_pids(cgroup)).size();
  if (count > 0) {
    return Error::wrong_state(
        cat({"container's cgroup is not empty: ", std::to_string(count), " process(es) found"}));
  }
  if (TRY(read_freeze(cgroup)) == FreezeState::frozen)
    return Error::wrong_state("container's cgroup unexpectedly frozen");
  return {};
}

// Threads of one process may be spread over threaded cgroups, but no process can enter one as a whole.
Status check_type(FdRef cgroup, const std::string& path) {
  const std::string type = join(TRY(read_words(cgroup, "cgroup.type")), " ");
  if (type == "domain" || type == "domain threaded") return {};
  return Error::unsupported(
      cat({"cgroup ", path, " cannot hold a container: a cgroup above it is threaded (its cgroup.type is \"",
           type, "\")"}));
}

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (const std::string_view name : split(path, '/')) {
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

}  // namespace

Result<UniqueFd> Cgroup::make_level(FdRef parent, const std::string& path, Occupied occupied) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const Status made = sys::mkdirat(parent, name.c_str(), kMode);
  const bool is_new = made.has_value();
  if (is_new) made_.push_back(path);
  if (!is_new && made.error().code() != EEXIST)
    return Error::system("mkdirat", made.error().code(), cat({"cgroup ", path}));

  UniqueFd level = TRY(open_beneath(parent, name.c_str(), O_RDONLY | O_DIRECTORY).context("cgroup ", path));
  // Checked before it counts as ours: what lives in somebody else's cgroup is not killed by undo().
  if (path == path_ && !is_new && occupied == Occupied::refused) TRY(check_free(level));
  return level;
}

Result<Cgroup> Cgroup::make(const Facts& facts, const std::string& path, Occupied occupied) {
  Cgroup cgroup(facts.mount, cat({"/", join(names_of(path), "/")}));
  UniqueFd level = TRY(open_cgroup(facts.mount, "/"));
  std::string level_path;
  for (const std::string& name : names_of(path)) {
    enable_controllers(level, facts.controllers);
    level_path.append("/").append(name);
    level = TRY(cgroup.make_level(level, level_path, occupied));
  }
  cgroup.dir_ = std::move(level);
  return cgroup;
}

Status Cgroup::check(const Facts& facts, const std::vector<Need>& needs) const {
  TRY(check_type(dir_, path_));
  return check_needs(facts, path_, dir_, needs);
}

Result<Cgroup> Cgroup::create(const Facts& facts, const std::string& path, const std::vector<Need>& needs) {
  if (facts.mount.empty()) {
    return Error::unsupported("no cgroup2 hierarchy is mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified");
  }
  if (names_of(path).empty()) {
    return Error::invalid_config("/linux/cgroupsPath", "must name a cgroup below the root cgroup");
  }
  for (int attempt = 1;; ++attempt) {
    Result<Cgroup> made = make(facts, path, Occupied::refused);
    if (!made.has_value() && is_gone(made.error()) && attempt < kMostAttempts) continue;
    Cgroup cgroup = TRY(std::move(made));
    TRY(cgroup.check(facts, needs));
    return cgroup;
  }
}

// Controllers are handed down by a cgroup that holds no process itself, so the process goes first.
Status Cgroup::descend(const Facts& facts, const std::string& name, pid_t process) {
  const std::string path = cat({path_, "/", name});
  UniqueFd below = TRY(make_level(dir_, path, Occupied::refused));
  TRY(write_kernel_file(below, "cgroup.procs", std::to_string(process)).context("cgroup ", path));
  enable_controllers(dir_, facts.controllers);
  dir_ = std::move(below);
  path_ = path;
  return {};
}

Result<Cgroup> Cgroup::adopt(const Facts& facts,
                             const std::string& path,
                             const std::string& sub_cgroup,
                             pid_t keeper,
                             const std::vector<Need>& needs) {
  Cgroup cgroup = TRY(make(facts, path, Occupied::expected));
  if (!sub_cgroup.empty()) TRY(cgroup.descend(facts, sub_cgroup, keeper));
  TRY(cgroup.check(facts, needs));
  return cgroup;
}

Cgroup::Cgroup(Cgroup&& other) noexcept
    : dir_(std::move(other.dir_)),
      mount_(std::move(other.mount_)),
      path_(std::move(other.path_)),
      made_(std::move(other.made_)),
      kept_(std::exchange(other.kept_, true)) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  if (this == &other) return *this;
  undo();
  dir_ = std::move(other.dir_);
  mount_ = std::move(other.mount_);
  path_ = std::move(other.path_);
  made_ = std::move(other.made_);
  kept_ = std::exchange(other.kept_, true);
  return *this;
}

Cgroup::~Cgroup() {
  undo();
}

// Every failure here is ignored: an error is already on its way to the user, and it is the one to tell.
void Cgroup::undo() noexcept {
  if (std::exchange(kept_, true)) return;
  if (!made_.empty() && made_.back() == path_) {
    (void)remove(mount_, path_, true, kUndoTimeoutMs);
    made_.pop_back();
  } else if (dir_.is_open()) {
    (void)kill_all(dir_);
    (void)wait_for_event(dir_, "populated", false, Deadline(kUndoTimeoutMs));
  }
  const Result<UniqueFd> root = open_cgroup(mount_, "/");
  if (!root.has_value()) return;
  for (; !made_.empty(); made_.pop_back()) {
    // Only if nobody else has moved in.
    (void)sys::unlinkat(root.value(), made_.back().c_str() + 1, AT_REMOVEDIR);
  }
}

}  // namespace capsule::cgroups
