// One event, one line, one write(2): text as logrus prints it, or a JSON object that engines decode.
//
// Library code stays silent above debug; runtime/cli/main.cc reports the one error of a failed command.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/log_service.h"
#include "runtime/base/result.h"

namespace capsule::log {

enum class Format : unsigned char { text, json };
enum class Service : unsigned char { none, syslog, journald };

struct Options {
  std::string path;                 // empty: standard error
  Service service = Service::none;  // instead of a file
  std::string identifier;           // what that service files our events under
  std::string socket = {};          // where it listens; empty: its usual place
  Format format = Format::text;
  Level threshold =
      Level::error;  // by default one line only, on failure: Podman decodes the file as one object
};

// Creates the log file (0644, O_APPEND) even if nothing is ever written: containerd insists on reading it.
//   fails   if the file cannot be opened, or nobody listens for the service
Status open(const Options& options);

bool is_enabled(Level level);
void write(Level level, std::string_view message);
void debug(std::string_view message);  // nothing happens, and nothing is formatted, below the threshold
void warning(std::string_view message);

// True if errors also have to be printed on standard error, because the log goes elsewhere.
bool goes_to_file();

}  // namespace capsule::log
