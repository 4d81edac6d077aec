// Signal names and numbers as people and engines write them (signal(7)).
#include <array>
#include <csignal>

#include "runtime/base/text.h"
#include "runtime/process/named.h"
#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr auto kSignals = std::to_array({
    Named<int>{"HUP", SIGHUP},       Named<int>{"INT", SIGINT},       Named<int>{"QUIT", SIGQUIT},
    Named<int>{"ILL", SIGILL},       Named<int>{"TRAP", SIGTRAP},     Named<int>{"ABRT", SIGABRT},
    Named<int>{"IOT", SIGIOT},       Named<int>{"BUS", SIGBUS},       Named<int>{"FPE", SIGFPE},
    Named<int>{"KILL", SIGKILL},     Named<int>{"USR1", SIGUSR1},     Named<int>{"SEGV", SIGSEGV},
    Named<int>{"USR2", SIGUSR2},     Named<int>{"PIPE", SIGPIPE},     Named<int>{"ALRM", SIGALRM},
    Named<int>{"TERM", SIGTERM},     Named<int>{"STKFLT", SIGSTKFLT}, Named<int>{"CHLD", SIGCHLD},
    Named<int>{"CLD", SIGCHLD},      Named<int>{"CONT", SIGCONT},     Named<int>{"STOP", SIGSTOP},
    Named<int>{"TSTP", SIGTSTP},     Named<int>{"TTIN", SIGTTIN},     Named<int>{"TTOU", SIGTTOU},
    Named<int>{"URG", SIGURG},       Named<int>{"XCPU", SIGXCPU},     Named<int>{"XFSZ", SIGXFSZ},
    Named<int>{"VTALRM", SIGVTALRM}, Named<int>{"PROF", SIGPROF},     Named<int>{"WINCH", SIGWINCH},
    Named<int>{"IO", SIGIO},         Named<int>{"POLL", SIGPOLL},     Named<int>{"PWR", SIGPWR},
    Named<int>{"SYS", SIGSYS},
});

// As the C library counts them inside the container: it keeps 32 and 33 for itself (signal(7), "Real-time
// signals").
constexpr int kRealtimeMin = 34;
constexpr int kRealtimeMax = 64;

std::optional<int> in_range(int number, int lowest) {
  if (number < lowest || number > kRealtimeMax) return std::nullopt;
  return number;
}

// What follows "RTMIN" or "RTMAX": nothing, or `sign` and a distance.
std::optional<int> parse_distance(std::string_view rest, char sign) {
  if (rest.empty()) return 0;
  if (rest.front() != sign) return std::nullopt;
  const std::optional<unsigned> distance = parse_integer<unsigned>(rest.substr(1));
  if (!distance.has_value() || *distance > kRealtimeMax - kRealtimeMin) return std::nullopt;
  return static_cast<int>(*distance);
}

std::optional<int> parse_realtime(std::string_view name) {
  const std::string_view base = name.substr(0, 5);
  const bool from_min = base == "RTMIN";
  if (!from_min && base != "RTMAX") return std::nullopt;
  const std::optional<int> distance = parse_distance(name.substr(5), from_min ? '+' : '-');
  if (!distance.has_value()) return std::nullopt;
  return from_min ? kRealtimeMin + *distance : kRealtimeMax - *distance;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const std::optional<int> number = parse_integer<int>(text); number.has_value())
    return in_range(*number, 1);
  const std::string upper = to_upper(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (const Named<int>* known = find_named(kSignals, name); known != nullptr) return known->value;
  return parse_realtime(name);
}

std::string describe_signal(int signal) {
  const auto* known = std::find_if(kSignals.begin(), kSignals.end(),
                                   [signal](const Named<int>& e) { return e.value == signal; });
  return cat({"SIG", known == kSignals.end() ? std::to_string(signal) : std::string(known->name)});
}

}  // namespace capsule::process
