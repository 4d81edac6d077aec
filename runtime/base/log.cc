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
  UniqueFd file;
  Format format = Format::text;
  Level threshold = Level::error;
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

}  // namespace

Status open(const Options& options) {
  target().format = options.format;
  target().threshold = options.threshold;
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
  (void)sys::write_all(out, format_line(level, message));  // a full log disk must not fail the container
}

void debug(std::string_view message) {
  write(Level::debug, message);
}
void warning(std::string_view message) {
  write(Level::warning, message);
}

}  // namespace capsule::log
