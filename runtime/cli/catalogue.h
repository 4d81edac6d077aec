// Every word the command line knows, as data: arguments.cc reads it to tell options from arguments, help.cc
// prints it, given.cc looks up what was given.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "runtime/base/fixed_text.h"

namespace capsule::cli {

enum class Takes : unsigned char { nothing, value, values };  // `values`: may be repeated, and all count

struct Option {
  FixedText<20> name;  // without dashes
  char letter = 0;
  Takes takes = Takes::nothing;
  FixedText<15> value = {};  // what help calls it: "DIR"
  FixedText<100> help = {};  // empty: accepted because engines send it, but not shown
};

inline constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

// Which list of options a command takes.
enum class Options : unsigned char {
  none,
  create,
  run,
  exec,
  kill,
  remove,
  list,
  ps,
  events,
  update,
  spec,
  plan
};

struct Command {
  FixedText<10> name;
  FixedText<80> summary;
  FixedText<60> arguments;  // as in the usage line
  std::size_t min_arguments = 1;
  std::size_t max_arguments = 1;
  // What follows the container's id belongs to somebody else: `exec ID ls -l`, `ps ID -ef`.
  bool options_end_at_first_argument = false;
  bool hidden = false;
  Options options = Options::none;
};

std::span<const Option> global_options();
std::span<const Option> options_of(const Command& command);
std::span<const Command> commands();
const Command* find_command(std::string_view name);  // nullptr: no such command

// nullptr: not one of `options`. `--help` and `-h` belong to every list.
const Option* find_option(std::span<const Option> options, std::string_view name);
const Option* find_option(std::span<const Option> options, char letter);

}  // namespace capsule::cli
