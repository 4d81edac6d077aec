#include "runtime/cli/help.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string describe_rows(std::string_view title, const Rows& rows) {
  std::size_t width = 0;
  for (const auto& [left, right] : rows)
    width = std::max(width, left.size());
  std::string text = cat({"\n", title, ":\n"});
  for (const auto& [left, right] : rows) {
    text.append(cat({"   ", left, std::string(width + 3 - left.size(), ' '), right, "\n"}));
  }
  return text;
}

std::string describe_spelling(const Option& option) {
  std::string text = cat({"--", option.name});
  if (option.letter != 0) text.append(", -").push_back(option.letter);
  if (!option.value.empty()) text.append(" ").append(option.value);
  return text;
}

Rows option_rows(std::span<const Option> options) {
  Rows rows;
  for (const Option& option : options) {
    if (!option.help.empty()) rows.emplace_back(describe_spelling(option), option.help);
  }
  const Option& help = *find_option(options, "help");
  rows.emplace_back(describe_spelling(help), help.help);
  return rows;
}

Rows command_rows() {
  Rows rows;
  for (const Command& command : commands()) {
    if (!command.hidden) rows.emplace_back(command.name, command.summary);
  }
  return rows;
}

}  // namespace

std::string describe_program(std::string_view default_root) {
  Rows options = option_rows(global_options());
  for (auto& [left, right] : options) {
    if (left.substr(0, 6) == "--root" && left.substr(0, 10) != "--rootless")
      right.append(cat({" (default: ", default_root, ")"}));
  }
  return cat({"NAME:\n   capsule - run containers as the Open Container Initiative specifies them\n",
              "\nUSAGE:\n   capsule [global options] <command> [options] [arguments]\n",
              describe_rows("COMMANDS", command_rows()), describe_rows("GLOBAL OPTIONS", options),
              "\nRun capsule <command> --help for the options of a command.\n"});
}

std::string describe_command(const Command& command) {
  const std::string_view space = command.arguments.empty() ? "" : " ";
  return cat({"NAME:\n   capsule ", command.name, " - ", command.summary, "\n",
              "\nUSAGE:\n   capsule [global options] ", command.name, " [options]", space, command.arguments,
              "\n", describe_rows("OPTIONS", option_rows(options_of(command)))});
}

}  // namespace capsule::cli
