#include "cgroups/systemd.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <utility>

#include "cgroups/cgroup.h"
#include "cgroups/facts.h"
#include "runtime/base/file.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

extern "C" {
extern const char capsule_systemd_begin[];
extern const char capsule_systemd_end[];
}

constexpr unsigned kGraceSeconds = 5;  // past the deadline: then the keeper hangs where no deadline reaches
constexpr unsigned kCollectModeSince = 236;
constexpr unsigned kAlways = 0;

Result<UniqueFd> make_memfd(const char* name, std::string_view bytes) {
  Result<UniqueFd> memfd = sys::memfd_create(name, MFD_EXEC);
  if (!memfd.has_value() && memfd.error().code() == EINVAL)
    memfd = sys::memfd_create(name, 0);  // before Linux 6.3
  UniqueFd file = TRY(std::move(memfd));
  TRY(sys::write_all(file, bytes).context("memfd ", name));
  (void)TRY(sys::lseek(file, 0, SEEK_SET));
  return file;
}

// EXTERNAL authentication is about the number that the bus sees, and libdbus sends the one that we see: so
// the keeper goes where both are the same (user_namespaces(7)).
Status become_known_user(const ManagerFacts& facts) {
  if (!facts.in_user_namespace) return {};
  const std::string line = cat({std::to_string(facts.uid), " ", std::to_string(::geteuid()), " 1"});
  TRY(sys::unshare(CLONE_NEWUSER, "user namespace"));
  return write_kernel_file(FdRef::cwd(), "/proc/self/uid_map", line);
}

// Dies with its parent, and by its own clock.
void bind_to_parent(pid_t parent) {
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::signal(SIGALRM, SIG_DFL);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  (void)::alarm(kSystemdTimeoutMs / 1000 + kGraceSeconds);
}

// What the keeper is given: three descriptors, brought to their places above the standard streams.
struct KeeperFiles {
  UniqueFd program, request, answer;
};

Status execute(const ManagerFacts& facts, const KeeperFiles& files) {
  constexpr int kProgramDescriptor = 5;
  // Out of each other's way first.
  const UniqueFd program = TRY(sys::dup_above(files.program, kProgramDescriptor + 1));
  const UniqueFd request = TRY(sys::dup_above(files.request, kProgramDescriptor + 1));
  const UniqueFd answer = TRY(sys::dup_above(files.answer, kProgramDescriptor + 1));
  (void)::dup2(answer.get(), kAnswerDescriptor);
  (void)::dup2(request.get(), kRequestDescriptor);
  (void)::dup3(program.get(), kProgramDescriptor, O_CLOEXEC);
  (void)sys::close_range(kProgramDescriptor + 1, ~0U, 0);
  TRY(become_known_user(facts));  // now that a failure has where to be told
  std::array<char*, 2> argv = {const_cast<char*>("capsule-systemd"), nullptr};
  (void)::fexecve(kProgramDescriptor, argv.data(), environ);
  return Error::system("execve", errno, "capsule-systemd");
}

[[noreturn]] void become_keeper(const ManagerFacts& facts, const KeeperFiles& files, pid_t parent) {
  bind_to_parent(parent);
  const Status failed = execute(facts, files);
  (void)sys::write_all(FdRef(kAnswerDescriptor), failed.error().message());
  ::_exit(1);
}

void add(std::vector<PlannedProperty>& properties,
         std::string_view name,
         BusValue value,
         unsigned since = kAlways) {
  properties.push_back({{std::string(name), std::move(value)}, since});
}

std::vector<PlannedProperty> scope_properties(const ScopePlan& plan) {
  std::vector<PlannedProperty> properties;
  add(properties, "Description", BusValue::of_text(plan.description));
  add(properties, "Slice", BusValue::of_text(plan.name.slice));
  add(properties, "Delegate", BusValue::of_bool(true));
  add(properties, "DefaultDependencies", BusValue::of_bool(false));
  for (const char* accounting : {"MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting"})
    add(properties, accounting, BusValue::of_bool(true));
  // One that failed is forgotten too.
  add(properties, "CollectMode", BusValue::of_text("inactive-or-failed"), kCollectModeSince);
  properties.insert(properties.end(), plan.limits.begin(), plan.limits.end());
  for (const UnitProperty& property : plan.annotations)
    properties.push_back({property, kAlways});
  return properties;
}

SystemdRequest request_of(const ManagerFacts& facts, SystemdRequest::Verb verb, const std::string& unit) {
  return {.verb = verb, .manager = facts.manager, .uid = facts.uid, .unit = unit};
}

Status ask(const ManagerFacts& facts, const SystemdRequest& request) {
  Keeper keeper = TRY(Keeper::start(facts, request));
  return keeper.finish();
}

}  // namespace

ManagerFacts manager_of(std::uint32_t euid, std::string_view uid_map) {
  ManagerFacts facts{.manager = euid == 0 ? Manager::system : Manager::user, .uid = euid};
  for (const std::string_view line : split(uid_map, '\n')) {
    std::vector<std::uint64_t> numbers;
    for (const std::string_view word : split(line, ' '))
      if (const auto number = parse_integer<std::uint64_t>(word)) numbers.push_back(*number);
    if (numbers.size() != 3 || euid < numbers[0] || euid - numbers[0] >= numbers[2]) continue;
    const bool is_everybody =
        numbers[0] == 0 && numbers[1] == 0 && numbers[2] == std::numeric_limits<std::uint32_t>::max();
    if (is_everybody) return facts;  // the initial namespace, or one that looks like it
    facts.uid = static_cast<std::uint32_t>(numbers[1] + (euid - numbers[0]));
    facts.in_user_namespace = facts.uid != euid;
    facts.manager = facts.uid == 0 ? Manager::system : Manager::user;
  }
  return facts;
}

Result<ManagerFacts> probe_manager() {
  return manager_of(::geteuid(), TRY(read_file(FdRef::cwd(), "/proc/self/uid_map")));
}

Keeper::Keeper(Keeper&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), answer_(std::move(other.answer_)) {}

Keeper& Keeper::operator=(Keeper&& other) noexcept {
  if (this == &other) return *this;
  end();
  pid_ = std::exchange(other.pid_, 0);
  answer_ = std::move(other.answer_);
  return *this;
}

Keeper::~Keeper() {
  end();
}

// Our own child, not waited for before: its number is nobody else's (R22).
void Keeper::end() noexcept {
  if (pid_ == 0) return;
  (void)::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

Result<Keeper> Keeper::start(const ManagerFacts& facts, const SystemdRequest& request) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return Error::system("pipe2", errno);
  Keeper keeper;
  keeper.answer_ = UniqueFd(ends[0]);
  KeeperFiles files{.answer = UniqueFd(ends[1])};
  files.program = TRY(make_memfd("capsule-systemd", {capsule_systemd_begin, capsule_systemd_end}));
  files.request = TRY(make_memfd("capsule-request", encode(request)));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::system("fork", errno);
  if (pid == 0) become_keeper(facts, files, parent);
  keeper.pid_ = pid;
  return keeper;
}

Status Keeper::finish() {
  const std::string words = TRY(read_fd(answer_, "pipe"));
  if (words == std::string_view(&kAnswerDone, 1)) return {};
  if (!words.empty()) return Error::peer(words);
  return Error::peer(cat(
      {"systemd has not answered within ", std::to_string(kSystemdTimeoutMs / 1000 + kGraceSeconds), " s"}));
}

std::string describe_scope(const ScopePlan& plan) {
  std::string text = cat({"unit ", plan.name.unit, " in ", plan.name.slice, " at ", plan.path, "\n"});
  if (!plan.sub_cgroup.empty()) text.append(cat({"unit sub-cgroup ", plan.sub_cgroup, "\n"}));
  for (const PlannedProperty& p : plan.limits)
    text.append(cat({"unit ", p.property.name, " ", describe(p.property.value), "\n"}));
  for (const UnitProperty& property : plan.annotations)
    text.append(cat({"unit ", property.name, " ", describe(property.value), "   # annotation\n"}));
  return text;
}

Scope::Scope(Scope&& other) noexcept
    : facts_(other.facts_),
      unit_(std::exchange(other.unit_, {})),
      mount_(std::move(other.mount_)),
      path_(std::move(other.path_)),
      keeper_(std::move(other.keeper_)) {}

Scope& Scope::operator=(Scope&& other) noexcept {
  if (this == &other) return *this;
  undo();
  facts_ = other.facts_;
  unit_ = std::exchange(other.unit_, {});
  mount_ = std::move(other.mount_);
  path_ = std::move(other.path_);
  keeper_ = std::move(other.keeper_);
  return *this;
}

Scope::~Scope() {
  undo();
}

// Ignored if it fails: an error is on its way already. A scope that never came to be is not asked for again.
void Scope::undo() noexcept {
  const std::string unit = std::exchange(unit_, {});
  keeper_ = Keeper();
  if (!unit.empty() && open_cgroup(mount_, path_).has_value()) (void)stop_unit(facts_, unit);
}

Result<Scope> Scope::begin(const ManagerFacts& facts, const ScopePlan& plan, const std::string& mount) {
  Scope scope;
  scope.facts_ = facts;
  scope.unit_ = plan.name.unit;
  scope.mount_ = mount;
  scope.path_ = plan.path;
  SystemdRequest request = request_of(facts, SystemdRequest::Verb::start_around_me, plan.name.unit);
  request.properties = scope_properties(plan);
  scope.keeper_ = TRY(Keeper::start(facts, request));
  return scope;
}

Result<std::string> Scope::finish() {
  TRY(keeper_.finish());
  const std::string table = cat({"/proc/", std::to_string(keeper_.pid()), "/cgroup"});
  path_ = parse_proc_cgroup(TRY(read_file(FdRef::cwd(), table.c_str()))).path;
  return path_;
}

Status enter_user_manager(const ManagerFacts& facts, const std::string& own_path) {
  if (facts.manager == Manager::system || is_below(own_path, cgroup_of_user_manager(own_path, facts.uid)))
    return {};
  const pid_t pid = ::getpid();
  SystemdRequest request =
      request_of(facts, SystemdRequest::Verb::start, cat({"capsule-", std::to_string(pid), ".scope"}));
  add(request.properties, "Description", BusValue::of_text("capsule"));
  add(request.properties, "PIDs", pids_of({pid}));
  return ask(facts, request);
}

Status stop_unit(const ManagerFacts& facts, const std::string& unit) {
  return ask(facts, request_of(facts, SystemdRequest::Verb::stop, unit));
}

Status set_unit_limits(const ManagerFacts& facts,
                       const std::string& unit,
                       const std::vector<PlannedProperty>& limits) {
  if (limits.empty()) return {};
  SystemdRequest request = request_of(facts, SystemdRequest::Verb::change, unit);
  request.properties = limits;
  return ask(facts, request);
}

}  // namespace capsule::cgroups
