#include "runtime/cli/arguments.h"

#include <cstddef>
#include <string_view>

#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

// Walks over argv and moves options into a list in their one spelling.
class Reader {
 public:
  Reader(const std::vector<std::string>& argv, Arguments& arguments) : argv_(argv), arguments_(arguments) {}

  [[nodiscard]] bool at_end() const { return next_ == argv_.size(); }
  // A lone dash is an argument: it names standard input.
  [[nodiscard]] bool at_option() const { return argv_[next_].size() > 1 && argv_[next_][0] == '-'; }
  [[nodiscard]] bool at_end_of_options() const { return argv_[next_] == "--"; }
  const std::string& take() { return argv_[next_++]; }

  void take_option(std::span<const Option> known, std::vector<std::string>& out) {
    const std::string& word = take();
    const std::string_view text = word;
    const bool two_dashes = text.substr(0, 2) == "--";
    const std::string_view body = text.substr(two_dashes ? 2 : 1);
    const std::string_view name = body.substr(0, body.find('='));
    const Option* option = two_dashes || name.size() > 1 ? find_option(known, name) : nullptr;
    if (option != nullptr) {
      add(*option, body.substr(name.size()), out);
    } else if (two_dashes || !take_letters(known, body, out)) {
      out.push_back(word);
    }
  }

 private:
  // `rest` is empty, or "=" and a value.
  void add(const Option& option, std::string_view rest, std::vector<std::string>& out) {
    if (option.name == "help" || option.name == "version") {
      (option.name == "help" ? arguments_.help : arguments_.version) = true;
      return;
    }
    const std::string name = cat({"--", option.name});
    if (option.takes == Takes::nothing) {
      out.push_back(name + std::string(rest));
      return;
    }
    out.push_back(name);
    if (!rest.empty()) {
      out.emplace_back(rest.substr(1));
    } else if (!at_end()) {
      out.push_back(take());
    }
  }

  // "-dt", "-u0", "-u=0": letters that take nothing, then at most one that has a value. False, and nothing
  // done, if one is unknown.
  bool take_letters(std::span<const Option> known, std::string_view letters, std::vector<std::string>& out) {
    std::vector<const Option*> found;
    std::string_view rest = letters;
    bool has_value = false;
    while (!rest.empty() && !has_value) {
      found.push_back(find_option(known, rest.front()));
      if (found.back() == nullptr) return false;
      rest.remove_prefix(1);
      has_value = found.back()->takes != Takes::nothing || rest.substr(0, 1) == "=";
    }
    const std::string value = rest.empty() || rest.front() == '=' ? std::string(rest) : cat({"=", rest});
    for (const Option* option : found)
      add(*option, option == found.back() ? std::string_view(value) : std::string_view(), out);
    return true;
  }

  const std::vector<std::string>& argv_;
  Arguments& arguments_;
  std::size_t next_ = 0;
};

void read_globals(Reader& reader, Arguments& arguments) {
  while (!reader.at_end() && reader.at_option() && !reader.at_end_of_options()) {
    reader.take_option(global_options(), arguments.globals);
  }
  if (!reader.at_end() && reader.at_end_of_options()) (void)reader.take();
}

void read_command(Reader& reader, const Command& command, Arguments& arguments) {
  bool options_ended = false;
  while (!reader.at_end()) {
    if (!options_ended && reader.at_end_of_options()) {
      (void)reader.take();
      options_ended = true;
    } else if (!options_ended && reader.at_option()) {
      reader.take_option(options_of(command), arguments.options);
    } else {
      arguments.words.push_back(reader.take());
      options_ended = options_ended || command.options_end_at_first_argument;
    }
  }
}

}  // namespace

Arguments split_arguments(const std::vector<std::string>& argv) {
  Arguments arguments;
  Reader reader(argv, arguments);
  read_globals(reader, arguments);
  if (!reader.at_end()) arguments.command = reader.take();
  if (arguments.command == "help") {
    arguments.help = true;
    arguments.command = reader.at_end() ? "" : reader.take();
  }

  const Command* command = find_command(arguments.command);
  if (command != nullptr) {
    read_command(reader, *command, arguments);
  } else {
    while (!reader.at_end())
      arguments.words.push_back(reader.take());
  }
  return arguments;
}

}  // namespace capsule::cli
