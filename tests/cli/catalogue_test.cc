#include "runtime/cli/catalogue.h"

#include <set>

#include "runtime/cli/app.h"
#include "tests/cli/words.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

// A value that any option of that name accepts.
std::string sample_of(const Option& option) {
  if (option.name == "format" || option.name == "log-format") return "json";
  if (option.name == "log-level") return "debug";
  if (option.name == "cgroup-manager") return "disabled";
  if (option.name == "rootless") return "auto";
  if (option.name == "interval") return "5s";
  return "1";
}

Arguments arguments_with(const Command& command, const Option& option) {
  std::vector<std::string> argv{std::string(command.name), cat({"--", option.name})};
  if (option.takes != Takes::nothing) argv.push_back(sample_of(option));
  for (std::size_t i = 0; i < command.min_arguments; ++i)
    argv.emplace_back("c1");
  if (command.name == "exec") argv.emplace_back("true");
  return split_arguments(argv);
}

template <class T>
std::string error_of(const Result<T>& result) {
  return result.has_value() ? "" : result.error().message();
}

std::string parse_error(const Arguments& a) {
  if (a.command == "create") return error_of(parse_create(a));
  if (a.command == "run") return error_of(parse_run(a));
  if (a.command == "exec") return error_of(parse_exec(a));
  if (a.command == "kill") return error_of(parse_kill(a));
  if (a.command == "delete") return error_of(parse_delete(a));
  if (a.command == "update") return error_of(parse_update(a));
  if (a.command == "list") return error_of(parse_list(a));
  if (a.command == "ps") return error_of(parse_ps(a));
  if (a.command == "events") return error_of(parse_events(a));
  if (a.command == "spec") return error_of(parse_spec(a));
  if (a.command == "plan") return error_of(parse_plan(a));
  return "no parser for " + a.command;
}

}  // namespace

TEST_CASE("every option in the catalogue is bound to something", "[cli][catalogue]") {
  for (const Command& command : commands()) {
    for (const Option& option : options_of(command)) {
      INFO(command.name.view() << " --" << option.name.view());
      CHECK(parse_error(arguments_with(command, option)) == "");
    }
  }
  for (const Option& option : global_options()) {
    INFO("--" << option.name.view());
    std::vector<std::string> argv{cat({"--", option.name})};
    if (option.takes != Takes::nothing) argv.push_back(sample_of(option));
    CHECK(error_of(parse_globals(split_arguments(argv))) == "");
  }
}

TEST_CASE("no letter and no name means two things to one command", "[cli][catalogue]") {
  for (const Command& command : commands()) {
    std::set<char> letters{'h'};
    std::set<std::string_view> names{"help"};
    for (const Option& option : options_of(command)) {
      INFO(command.name.view() << " --" << option.name.view());
      CHECK(names.insert(option.name).second);
      CHECK((option.letter == 0 || letters.insert(option.letter).second));
      CHECK((option.takes != Takes::nothing) == (!option.value.empty()));
    }
  }
}
