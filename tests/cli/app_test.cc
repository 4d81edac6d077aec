#include "runtime/cli/app.h"

#include "tests/cli/words.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

struct Refusal {
  std::string_view line;
  std::string_view error;
};

template <class T>
std::string error_of(const Result<T>& result) {
  return result.has_value() ? "(accepted)" : result.error().message();
}

std::string error_of_command(const Arguments& a) {
  if (a.command == "create") return error_of(parse_create(a));
  if (a.command == "run") return error_of(parse_run(a));
  if (a.command == "exec") return error_of(parse_exec(a));
  if (a.command == "kill") return error_of(parse_kill(a));
  if (a.command == "delete") return error_of(parse_delete(a));
  if (a.command == "mounts") return error_of(parse_mounts(a));
  if (a.command == "update") return error_of(parse_update(a));
  if (a.command == "list") return error_of(parse_list(a));
  if (a.command == "ps") return error_of(parse_ps(a));
  if (a.command == "events") return error_of(parse_events(a));
  if (a.command == "spec") return error_of(parse_spec(a));
  if (a.command == "plan") return error_of(parse_plan(a));
  if (a.command == "features") return error_of(parse_nothing(a));
  return error_of(parse_id(a));
}

}  // namespace

TEST_CASE("a wrong number of arguments is refused in runc's words", "[cli][app]") {
  const Refusal cases[] = {
      {"create", "\"create\" requires exactly 1 argument(s)"},
      {"create a b", "\"create\" requires exactly 1 argument(s)"},
      {"run --detach", "\"run\" requires exactly 1 argument(s)"},
      {"start", "\"start\" requires exactly 1 argument(s)"},
      {"state a b", "\"state\" requires exactly 1 argument(s)"},
      {"delete", "\"delete\" requires exactly 1 argument(s)"},
      {"pause", "\"pause\" requires exactly 1 argument(s)"},
      {"resume", "\"resume\" requires exactly 1 argument(s)"},
      {"kill", "\"kill\" requires a minimum of 1 argument(s)"},
      {"mounts add c1", "\"mounts\" requires exactly 3 argument(s)"},
      {"mounts list c1 f", "mounts: \"list\" is neither \"add\" nor \"remove\""},
      {"update --memory 1m", "\"update\" requires exactly 1 argument(s)"},
      {"kill a 9 b", "\"kill\" requires a maximum of 2 argument(s)"},
      {"exec", "\"exec\" requires a minimum of 1 argument(s)"},
      {"ps", "\"ps\" requires a minimum of 1 argument(s)"},
      {"events", "\"events\" requires exactly 1 argument(s)"},
      {"list a", "\"list\" requires exactly 0 argument(s)"},
      {"spec a", "\"spec\" requires exactly 0 argument(s)"},
      {"features a", "\"features\" requires exactly 0 argument(s)"},
      {"plan a b", "\"plan\" requires a maximum of 1 argument(s)"},
  };
  for (const Refusal& c : cases) {
    INFO(c.line);
    CHECK(error_of_command(arguments_of(c.line)) == c.error);
  }
}

TEST_CASE("options a command does not know, and values that make no sense, are named", "[cli][app]") {
  const Refusal cases[] = {
      {"create --frob c1", "create: flag provided but not defined: --frob; see capsule create --help"},
      {"create --frob=x c1", "create: flag provided but not defined: --frob=x; see capsule create --help"},
      {"create --keep c1", "create: flag provided but not defined: --keep; see capsule create --help"},
      {"create --root /r c1",
       "create: flag provided but not defined: --root; a global option stands before the command"},
      {"exec -i c1 sh", "exec: flag provided but not defined: -i; see capsule exec --help"},
      {"exec -it c1 sh", "exec: flag provided but not defined: -it; see capsule exec --help"},
      {"kill c1 -9", "kill: flag provided but not defined: -9; see capsule kill --help"},
      {"start -f c1", "start: flag provided but not defined: -f; see capsule start --help"},
      {"create c1 ---", "create: flag provided but not defined: ---; see capsule create --help"},
      {"create c1 --bundle", "create: flag needs an argument: --bundle"},
      {"create c1 -b", "create: flag needs an argument: --bundle"},
      {"exec -p", "exec: flag needs an argument: --process"},
      {"create --preserve-fds -1 c1", "create: invalid value \"-1\" for --preserve-fds: must be a number"},
      {"create --preserve-fds=1x c1", "create: invalid value \"1x\" for --preserve-fds: must be a number"},
      {"create --preserve-fds 4294967296 c1",
       "create: invalid value \"4294967296\" for --preserve-fds: must be a number"},
      {"create --preserve-fds= c1", "create: invalid value \"\" for --preserve-fds: must be a number"},
      {"create --no-pivot=maybe c1", "create: invalid boolean value \"maybe\" for --no-pivot"},
      {"exec -u 4294967296 c1 id",
       "exec: invalid value \"4294967296\" for --user: must be uid or uid:gid in numbers"},
      {"exec -u -1 c1 id", "exec: invalid value \"-1\" for --user: must be uid or uid:gid in numbers"},
      {"exec -u nobody c1 id",
       "exec: invalid value \"nobody\" for --user: must be uid or uid:gid in numbers"},
      {"exec -g -5 c1 id", "exec: invalid value \"-5\" for --additional-gids: must be a number"},
      {"events --interval 0s c1", "events: invalid value \"0s\" for --interval: must be greater than 0"},
      {"events --interval=-1s c1", "events: invalid value \"-1s\" for --interval: must be greater than 0"},
      {"exec c1", "exec: process args cannot be empty"},
      {"list --format yaml", "list: invalid format option: yaml; must be table or json"},
      {"ps -f yaml c1", "ps: invalid format option: yaml; must be table or json"},
  };
  for (const Refusal& c : cases) {
    INFO(c.line);
    CHECK(error_of_command(arguments_of(c.line)) == c.error);
  }
}

TEST_CASE("global options that make no sense are refused, whatever the command", "[cli][app]") {
  const Refusal cases[] = {
      {"--log-format xml list", "invalid log-format: xml"},
      {"--log-level loud list", "invalid log-level: loud; must be error, warning, info or debug"},
      {"--cgroup-manager v1 list", "invalid cgroup-manager: v1; must be cgroupfs, systemd or disabled"},
      {"--rootless perhaps list", "invalid rootless: perhaps; must be true, false or auto"},
      {"--root / list", "Option --root argument should not be set to /"},
      {"--root= list", "Option --root argument should not be empty"},
      {"--log journald: list", "invalid log: journald:; an identifier must follow"},
      {"--frob list", "flag provided but not defined: --frob; see capsule --help"},
      {"-x list", "flag provided but not defined: -x; see capsule --help"},
      {"--root", "flag needs an argument: --root"},
  };
  for (const Refusal& c : cases) {
    INFO(c.line);
    CHECK(error_of(parse_globals(arguments_of(c.line))) == c.error);
  }
}

TEST_CASE("the first wrong value is the one that is reported", "[cli][app]") {
  CHECK(error_of(parse_exec(arguments_of("exec -e A=1 -g x -g y c1 id"))) ==
        "exec: invalid value \"x\" for --additional-gids: must be a number");
}

TEST_CASE("the last of several values wins, and an earlier wrong one does not matter", "[cli][app]") {
  CHECK(error_of(parse_globals(arguments_of("--log-format xml --log-format json list"))) == "(accepted)");
}

TEST_CASE("plan needs no name for what will never exist", "[cli][app]") {
  CHECK(parse_plan(arguments_of("plan --bundle /b")).value().id == "container");
  CHECK(parse_plan(arguments_of("plan --bundle /b c1")).value().id == "c1");
}

TEST_CASE("kill and delete take an expression in place of an id", "[cli][app]") {
  const KillOptions kill = parse_kill(arguments_of("kill --regex web-.* 9")).value();
  CHECK(kill.regex);
  CHECK(kill.id == "web-.*");
  CHECK(kill.signal == "9");
  CHECK(parse_delete(arguments_of("delete -r -f web")).value().regex);
  CHECK_FALSE(parse_delete(arguments_of("delete web")).value().regex);
}

TEST_CASE("events tells every five seconds unless it is told otherwise", "[cli][app]") {
  const EventsOptions usual = parse_events(arguments_of("events c1")).value();
  CHECK(usual.id == "c1");
  CHECK(usual.interval.count() == 5000);
  CHECK_FALSE(usual.stats_only);
  CHECK(parse_events(arguments_of("events --stats c1")).value().stats_only);
  CHECK(parse_events(arguments_of("events --interval=1m30s c1")).value().interval.count() == 90'000);
}
