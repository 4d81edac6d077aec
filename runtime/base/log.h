// One event, one line, one write(2): text as logrus prints it, or a JSON object that engines decode.
//
// Library code stays silent above debug; runtime/cli/main.cc reports the one error of a failed command.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace capsule::log {

enum class Level : unsigned char { error, warning, info, debug };
enum class Format : unsigned char { text, json };

struct Options {
  std::string path;  // empty: standard error
  Format format = Format::text;
  Level threshold =
      Level::error;  // by default one line only, on failure: Podman decodes the file as one object
};

// Creates the log file (0644, O_APPEND) even if nothing is ever written: containerd insists on reading it.
Status open(const Options& options);

bool is_enabled(Level level);
void write(Level level, std::string_view message);
void debug(std::string_view message);  // nothing happens, and nothing is formatted, below the threshold
void warning(std::string_view message);

// True if errors also have to be printed on standard error, because the log goes elsewhere.
bool goes_to_file();

}  // namespace capsule::log
