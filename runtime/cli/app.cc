#include "runtime/cli/app.h"

#include <optional>
#include <span>

#include "runtime/base/text.h"
#include "runtime/cli/duration.h"
#include "runtime/cli/given.h"
#include "runtime/cli/update_options.h"
#include "runtime/cli/values.h"

namespace capsule::cli {
namespace {

Status check_argument_count(const Arguments& arguments) {
  const Command* command = find_command(arguments.command);
  const std::size_t count = arguments.words.size();
  if (command == nullptr || (count >= command->min_arguments && count <= command->max_arguments)) return {};

  const bool exact = command->min_arguments == command->max_arguments;
  const std::size_t wanted = count < command->min_arguments ? command->min_arguments : command->max_arguments;
  const std::string_view how = exact                            ? "exactly"
                               : count < command->min_arguments ? "a minimum of"
                                                                : "a maximum of";
  return Error::unsupported(cat(
      {capsule::quoted(arguments.command), " requires ", how, " ", std::to_string(wanted), " argument(s)"}));
}

Given given_to(const Arguments& arguments) {
  const Command* command = find_command(arguments.command);
  const std::span<const Option> known = command == nullptr ? std::span<const Option>() : options_of(*command);
  return {known, arguments.options};
}

// When all options have been taken.
Status check(Given& given, const Arguments& arguments) {
  TRY(given.check(arguments.command).context(arguments.command));
  return check_argument_count(arguments);
}

void take_bundle(Given& given, launch::LaunchOptions& options) {
  given.text("bundle", options.bundle)
      .text("config", options.config)
      .flag("no-pivot", options.no_pivot)
      .number("preserve-fds", options.preserve_fds);
}

void take_launch(Given& given, launch::LaunchOptions& options) {
  take_bundle(given, options);
  given.text("console-socket", options.console_socket)
      .text("pidfd-socket", options.pidfd_socket)
      .text("pid-file", options.pid_file)
      .flag("no-new-keyring", options.no_new_keyring);
}

void take_exec(Given& given, launch::ExecOptions& options) {
  given.text("process", options.process_file)
      .text("cwd", options.cwd)
      .texts("env", options.env)
      .flag("tty", options.tty)
      .flag("detach", options.detach)
      .text("console-socket", options.console_socket)
      .text("pidfd-socket", options.pidfd_socket)
      .text("pid-file", options.pid_file)
      .text("process-label", options.process_label)
      .text("apparmor", options.apparmor)
      .flag("no-new-privs", options.no_new_privs)
      .texts("cap", options.capabilities)
      .number("preserve-fds", options.preserve_fds)
      .text("cgroup", options.cgroup)
      .flag("ignore-paused", options.ignore_paused)
      .read("user", [&options](std::string_view value) { return parse_user(value, options); })
      .read("additional-gids", [&options](std::string_view value) -> Status {
        options.additional_gids.push_back(TRY(parse_group(value)));
        return {};
      });
}

}  // namespace

Result<Globals> parse_globals(const Arguments& arguments) {
  Globals globals;
  bool debug = false;
  bool systemd = false;
  std::optional<launch::CgroupManager> manager;
  Given given(global_options(), arguments.globals);
  given.value("root", globals.root, parse_root)
      .read("log", [&](std::string_view text) { return parse_log_target(text, globals.log); })
      .value("log-format", globals.log.format, parse_log_format)
      .value("log-level", globals.log.threshold, parse_log_level)
      .value("cgroup-manager", manager, parse_cgroup_manager)
      .read("rootless", parse_rootless)
      .flag("debug", debug)
      .flag("systemd-cgroup", systemd);
  TRY(given.check(""));
  if (debug) globals.log.threshold = log::Level::debug;
  globals.cgroup_manager =
      manager.value_or(systemd ? launch::CgroupManager::systemd : launch::CgroupManager::cgroupfs);
  return globals;
}

Status parse_nothing(const Arguments& arguments) {
  Given given = given_to(arguments);
  return check(given, arguments);
}

Result<std::string> parse_id(const Arguments& arguments) {
  TRY(parse_nothing(arguments));
  return arguments.words[0];
}

Result<launch::LaunchOptions> parse_create(const Arguments& arguments) {
  launch::LaunchOptions options;
  Given given = given_to(arguments);
  take_launch(given, options);
  given.ignored_flag("detach").ignored_flag("no-subreaper");
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  return options;
}

Result<launch::LaunchOptions> parse_run(const Arguments& arguments) {
  launch::LaunchOptions options;
  Given given = given_to(arguments);
  take_launch(given, options);
  given.flag("detach", options.detach).flag("keep", options.keep).flag("no-subreaper", options.no_subreaper);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  return options;
}

Result<launch::LaunchOptions> parse_plan(const Arguments& arguments) {
  launch::LaunchOptions options;
  Given given = given_to(arguments);
  take_bundle(given, options);
  TRY(check(given, arguments));
  options.id = arguments.words.empty() ? "container" : arguments.words[0];
  return options;
}

Result<launch::ExecOptions> parse_exec(const Arguments& arguments) {
  launch::ExecOptions options;
  Given given = given_to(arguments);
  take_exec(given, options);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  options.args.assign(arguments.words.begin() + 1, arguments.words.end());
  if (options.args.empty() && options.process_file.empty()) {
    return Error::unsupported("exec: process args cannot be empty");
  }
  return options;
}

Result<KillOptions> parse_kill(const Arguments& arguments) {
  KillOptions options;
  Given given = given_to(arguments);
  given.flag("all", options.all).flag("regex", options.regex);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  if (arguments.words.size() > 1) options.signal = arguments.words[1];
  return options;
}

Result<DeleteOptions> parse_delete(const Arguments& arguments) {
  DeleteOptions options;
  Given given = given_to(arguments);
  given.flag("force", options.force).flag("regex", options.regex);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  return options;
}

Result<MountsOptions> parse_mounts(const Arguments& arguments) {
  TRY(parse_nothing(arguments));
  const std::string& action = arguments.words[0];
  if (action != "add" && action != "remove") {
    return Error::unsupported(
        cat({"mounts: ", capsule::quoted(action), " is neither \"add\" nor \"remove\""}));
  }
  return MountsOptions{.id = arguments.words[1], .file = arguments.words[2], .remove = action == "remove"};
}

Result<UpdateOptions> parse_update(const Arguments& arguments) {
  UpdateOptions options;
  Given given = given_to(arguments);
  take_update(given, options);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  return options;
}

Result<ListOptions> parse_list(const Arguments& arguments) {
  ListOptions options;
  Given given = given_to(arguments);
  given.flag("quiet", options.quiet).value("format", options.format, parse_output_format);
  TRY(check(given, arguments));
  return options;
}

Result<PsOptions> parse_ps(const Arguments& arguments) {
  PsOptions options;
  Given given = given_to(arguments);
  given.value("format", options.format, parse_output_format);
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  options.ps_arguments.assign(arguments.words.begin() + 1, arguments.words.end());
  if (options.ps_arguments.empty()) options.ps_arguments.emplace_back("-ef");
  return options;
}

Result<EventsOptions> parse_events(const Arguments& arguments) {
  EventsOptions options;
  Given given = given_to(arguments);
  given.flag("stats", options.stats_only).value("interval", options.interval, [](std::string_view text) {
    return parse_duration("--interval", text);
  });
  TRY(check(given, arguments));
  options.id = arguments.words[0];
  return options;
}

Result<SpecOptions> parse_spec(const Arguments& arguments) {
  SpecOptions options;
  Given given = given_to(arguments);
  given.text("bundle", options.bundle).text("file", options.file).flag("rootless", options.rootless);
  TRY(check(given, arguments));
  return options;
}

}  // namespace capsule::cli
