#include "runtime/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "runtime/base/clock.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::log {
namespace {

struct Target {
  UniqueFd file;  // or the socket of a service
  Format format = Format::text;
  Level threshold = Level::error;
  Service service = Service::none;
  std::string identifier;
};

Target& target() {
  static Target the_target;
  return the_target;
}

std::string_view level_name(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"error", "warning", "info", "debug"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string format_line(Level level, std::string_view message) {
  if (target().format == Format::json) {
    return cat({R"({"level":")", level_name(level), R"(","msg":)", json_string(message), R"(,"time":")",
                now_rfc3339(Fraction::none), "\"}\n"});
  }
  return cat({"time=\"", now_rfc3339(Fraction::none), "\" level=", level_name(level),
              " msg=", quoted(message), "\n"});
}

std::string describe_event(Level level, std::string_view message) {
  switch (target().service) {
    case Service::syslog:
      return format_syslog(target().identifier, ::getpid(), level, message);
    case Service::journald:
      return format_journal(target().identifier, level, message);
    case Service::none:
      break;
  }
  return format_line(level, message);
}

// Never blocks: a log daemon that hangs must not hang containers.
Status connect_to_service(const Options& options) {
  const char* usual = options.service == Service::syslog ? "/dev/log" : "/run/systemd/journal/socket";
  target().service = options.service;
  target().identifier = options.identifier;
  target().file = TRY(sys::unix_socket(SOCK_DGRAM | SOCK_NONBLOCK));
  return sys::unix_connect_path(target().file, options.socket.empty() ? usual : options.socket)
      .context("open log");
}

}  // namespace

Status open(const Options& options) {
  target().format = options.format;
  target().threshold = options.threshold;
  if (options.service != Service::none) return connect_to_service(options);
  if (options.path.empty()) return {};
  target().file =
      TRY(sys::openat(FdRef::cwd(), options.path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_NOCTTY, 0644)
              .context("open log file"));
  return {};
}

bool is_enabled(Level level) {
  return level <= target().threshold;
}
bool goes_to_file() {
  return target().file.is_open();
}

void write(Level level, std::string_view message) {
  if (!is_enabled(level)) return;
  const FdRef out = goes_to_file() ? FdRef(target().file) : FdRef(STDERR_FILENO);
  (void)sys::write_all(out, describe_event(level, message));  // a full log disk must not fail the container
}

void debug(std::string_view message) {
  write(Level::debug, message);
}
void warning(std::string_view message) {
  write(Level::warning, message);
}

}  // namespace capsule::log
