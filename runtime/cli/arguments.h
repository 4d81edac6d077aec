// The words of the command line, sorted: which are global options, which is the command, which are its
// options and its arguments.
//
// Engines are written in Go and speak its dialect: one dash before a long name (-no-subreaper), `=` after a
// letter (-u=0), globals given twice. All of it becomes one spelling here, so that nothing further down has
// to know.
#pragma once

#include <string>
#include <vector>

#include "runtime/cli/catalogue.h"

namespace capsule::cli {

struct Arguments {
  // Options, canonical: "--name" alone, or followed by its value as the next element; "--name=true" where a
  // switch was given a value. Unknown ones are kept as they were, and whether one lacks its value is not
  // checked: parsing reports both.
  std::vector<std::string> globals;
  std::vector<std::string> options;
  std::string command;             // empty: none was given
  std::vector<std::string> words;  // the command's arguments; all that follows if the command is unknown
  bool help = false;
  bool version = false;
};

// `argv` without the program's name.
Arguments split_arguments(const std::vector<std::string>& argv);

}  // namespace capsule::cli
