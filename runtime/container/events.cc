#include "runtime/container/events.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <poll.h>

#include "cgroups/files.h"
#include "cgroups/stats.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/container/processes.h"
#include "spec/stats.h"

namespace capsule::container {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A cgroup's file that the kernel wakes poll(2) for. kernfs remembers what a descriptor has read, and wakes
// it on the first change after that, so none is missed, and none needs inotify(7).
class WatchedFile {
 public:
  // One that is not there (no memory controller) never wakes anybody.
  static Result<WatchedFile> open(FdRef cgroup, const char* name, const char* key) {
    Result<UniqueFd> file = cgroups::open_beneath(cgroup, name, O_RDONLY);
    if (!file.has_value() && cgroups::is_gone(file.error())) return WatchedFile({}, name, key);
    return WatchedFile(TRY(std::move(file)), name, key);
  }

  [[nodiscard]] pollfd waiting() const { return {file_.get(), POLLPRI, 0}; }

  // nullopt: there is no such file, or its cgroup was removed.
  [[nodiscard]] Result<std::optional<std::uint64_t>> read() const {
    if (!file_.is_open()) return std::optional<std::uint64_t>();
    (void)TRY(sys::lseek(file_, 0, SEEK_SET).context(name_));
    Result<std::string> lines = read_fd(file_, name_);
    if (!lines.has_value() && cgroups::is_gone(lines.error())) return std::optional<std::uint64_t>();
    return cgroups::find_number(TRY(std::move(lines)), key_);
  }

 private:
  WatchedFile(UniqueFd file, const char* name, const char* key)
      : file_(std::move(file)), name_(name), key_(key) {}
  UniqueFd file_;
  const char* name_;
  const char* key_;
};

enum class Next : unsigned char { go_on, end };

class Watch {
 public:
  static Result<Watch> open(const Container& container, milliseconds interval, FdRef out) {
    Pidfd init = TRY(container.init());
    UniqueFd cgroup = TRY(container.cgroup());
    WatchedFile events = TRY(WatchedFile::open(cgroup, "cgroup.events", "populated"));
    WatchedFile memory = TRY(WatchedFile::open(cgroup, "memory.events", "oom_kill"));
    const std::uint64_t kills = TRY(memory.read()).value_or(0);
    return Watch(container, interval, out,
                 {std::move(init), std::move(cgroup), std::move(events), std::move(memory), kills});
  }

  Status run() {
    Clock::time_point due = Clock::now() + interval_;
    for (;;) {
      if (TRY(look()) == Next::end) return {};
      if (Clock::now() >= due) {
        if (TRY(tell_stats()) == Next::end) return {};
        due = Clock::now() + interval_;
      }
      if (TRY(sleep_until(due)) == Next::end) return {};
    }
  }

 private:
  struct Sources {
    Pidfd init;
    UniqueFd cgroup;
    WatchedFile events;
    WatchedFile memory;
    std::uint64_t kills;  // of which we have told
  };
  Watch(const Container& container, milliseconds interval, FdRef out, Sources sources)
      : container_(container), interval_(interval), out_(out), sources_(std::move(sources)) {}

  // Everything that may have happened. The end is looked for before memory is: the kernel counts a kill
  // before the process is gone, so the kill that ended the container is still told.
  Result<Next> look() {
    const bool is_over = TRY(has_stopped());
    const std::uint64_t kills = TRY(sources_.memory.read()).value_or(sources_.kills);
    if (kills > sources_.kills && TRY(tell(spec::write_oom_event(container_.record().id))) == Next::end) {
      return Next::end;
    }
    sources_.kills = kills;
    return is_over ? Next::end : Next::go_on;
  }

  [[nodiscard]] Result<bool> has_stopped() const {
    if (TRY(sources_.init.wait_gone(0))) return true;
    return TRY(sources_.events.read()).value_or(0) == 0;
  }

  Result<Next> tell_stats() {
    Result<spec::Stats> stats = cgroups::read_stats(sources_.cgroup);
    if (!stats.has_value() && cgroups::is_gone(stats.error())) return Next::end;
    spec::Stats told = TRY(std::move(stats));
    told.rdt = TRY(cgroups::read_rdt_stats(rdt_group_of(container_.record())));
    return tell(spec::write_stats_event(container_.record().id, told));
  }

  [[nodiscard]] Result<Next> tell(const std::string& line) const {
    Status written = sys::write_all(out_, line);
    if (!written.has_value() && written.error().code() == EPIPE) return Next::end;
    TRY(std::move(written).context("write standard output"));
    return Next::go_on;
  }

  // The reader is watched for nothing but its end, so that `events ID | head -1` does not wait for a second
  // line.
  [[nodiscard]] Result<Next> sleep_until(Clock::time_point due) const {
    const auto left = std::chrono::ceil<milliseconds>(due - Clock::now()).count();
    std::array waiting{pollfd{sources_.init.fd().get(), POLLIN, 0}, sources_.events.waiting(),
                       sources_.memory.waiting(), pollfd{out_.get(), 0, 0}};
    (void)TRY(sys::poll(waiting, static_cast<int>(std::clamp<decltype(left)>(left, 0, INT_MAX))));
    return waiting[3].revents != 0 ? Next::end : Next::go_on;
  }

  const Container& container_;
  milliseconds interval_;
  FdRef out_;
  Sources sources_;
};

Status check_countable(const Container& container) {
  TRY(container.init());
  if (has_cgroup(container.record())) return {};
  return Error::wrong_state("container has no cgroup, and only that knows what it uses");
}

}  // namespace

Status print_stats(const Container& container, FdRef out) {
  TRY(check_countable(container));
  const UniqueFd cgroup = TRY(container.cgroup());
  spec::Stats stats = TRY(cgroups::read_stats(cgroup));
  stats.rdt = TRY(cgroups::read_rdt_stats(rdt_group_of(container.record())));
  Status written = sys::write_all(out, spec::write_stats_event(container.record().id, stats));
  if (!written.has_value() && written.error().code() == EPIPE) return {};
  return std::move(written).context("write standard output");
}

Status watch(const Container& container, milliseconds interval, FdRef out) {
  TRY(check_countable(container));
  Watch watch = TRY(Watch::open(container, interval, out));
  return watch.run();
}

}  // namespace capsule::container
