#include "runtime/cli/arguments.h"

#include "tests/cli/words.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

// Everything split_arguments found, in one line: "globals > command [help] [version] > options > words".
std::string describe(const Arguments& arguments) {
  return cat({join(arguments.globals, " "), " > ", arguments.command, arguments.help ? " HELP" : "",
              arguments.version ? " VERSION" : "", " > ", join(arguments.options, " "), " > ",
              join(arguments.words, " ")});
}

struct Case {
  std::string_view line;
  std::string_view found;
  std::string_view because;
};

void check(const Case& c) {
  INFO(c.line << "\n" << c.because);
  CHECK(describe(arguments_of(c.line)) == c.found);
}

}  // namespace

TEST_CASE("every spelling of an option becomes the long one with its value behind it", "[cli][arguments]") {
  const Case cases[] = {
      {"create --bundle /b c1", " > create > --bundle /b > c1", "two words"},
      {"create --bundle=/b c1", " > create > --bundle /b > c1", "one word"},
      {"create -b /b c1", " > create > --bundle /b > c1", "a letter"},
      {"create -b=/b c1", " > create > --bundle /b > c1", "Go accepts = behind a letter"},
      {"create -b/b c1", " > create > --bundle /b > c1", "getopt(3) accepts the value glued to the letter"},
      {"create -bundle /b c1", " > create > --bundle /b > c1", "Go accepts one dash"},
      {"create -bundle=/b c1", " > create > --bundle /b > c1", "Go accepts one dash, with ="},
      {"run -no-subreaper c1", " > run > --no-subreaper > c1", "go-runc sends exactly this"},
      {"exec -dt c1 sh", " > exec > --detach --tty > c1 sh", "letters may be joined"},
      {"exec -tp F c1", " > exec > --tty --process F > c1", "the last letter may have a value"},
      {"exec -tu=1:2 c1 sh", " > exec > --tty --user 1:2 > c1 sh",
       "the last letter may have a value glued with ="},
      {"exec -u0 c1 sh", " > exec > --user 0 > c1 sh", "a glued number"},
      {"exec -cap CAP_KILL c1 sh", " > exec > --cap CAP_KILL > c1 sh", "a long name wins over letters"},
      {"exec -e A=B=C c1 sh", " > exec > --env A=B=C > c1 sh",
       "only the first = may separate name and value"},
      {"exec --env=A=B c1 sh", " > exec > --env A=B > c1 sh", "only the first = separates"},
      {"exec --env= c1 sh", " > exec > --env  > c1 sh", "an empty value is a value"},
      {"exec --apparmor '' c1 sh", " > exec > --apparmor  > c1 sh", "an empty word is a value"},
      {"exec --env --tty c1 sh", " > exec > --env --tty > c1 sh",
       "what follows is the value, whatever it looks like"},
      {"exec --env --help c1 sh", " > exec > --env --help > c1 sh", "and is no question for help"},
      {"exec --env -- c1 sh", " > exec > --env -- > c1 sh", "and is no end of options"},
      {"delete --force=true c1", " > delete > --force=true > c1", "a switch may be told what it is"},
      {"delete -f=false c1", " > delete > --force=false > c1", "in short, too"},
  };
  for (const Case& c : cases)
    check(c);
}

TEST_CASE(
    "options stand before the arguments or behind them, but exec and ps leave what follows the id alone",
    "[cli][arguments]") {
  const Case cases[] = {
      {"delete c1 --force", " > delete > --force > c1", "runc moves options forward"},
      {"kill c1 9 --all", " > kill > --all > c1 9", "behind the last argument"},
      {"kill -a c1 9", " > kill > --all > c1 9", "as CRI-O has it"},
      {"delete -- --force", " > delete >  > --force", "nothing is an option behind --"},
      {"delete c1 -- -f", " > delete >  > c1 -f", "nothing is an option behind --"},
      {"exec c1 ls -l", " > exec >  > c1 ls -l", "-l belongs to ls"},
      {"exec c1 -t", " > exec >  > c1 -t", "even what exec knows"},
      {"exec -t c1 ls --help", " > exec > --tty > c1 ls --help", "even a question for help"},
      {"exec -- c1 ls -l", " > exec >  > c1 ls -l", "-- before the id"},
      {"exec c1 -- ls", " > exec >  > c1 -- ls", "-- behind the id is the program's"},
      {"ps c1 -ef", " > ps >  > c1 -ef", "as docker top has it"},
      {"ps --format table c1 -o pid,cmd", " > ps > --format table > c1 -o pid,cmd", "as go-runc has it"},
      {"ps c1 -f json", " > ps >  > c1 -f json", "-f is ps(1)'s here"},
      {"kill c1 -", " > kill >  > c1 -", "a lone dash is an argument"},
      {"state ''", " > state >  > ", "an empty word is an argument"},
  };
  for (const Case& c : cases)
    check(c);
  CHECK(arguments_of("state ''").words.size() == 1);
}

TEST_CASE("global options stand before the command, as often as one likes", "[cli][arguments]") {
  const Case cases[] = {
      {"--root /r state c1", "--root /r > state >  > c1", "the plain case"},
      {"-root=/r state c1", "--root /r > state >  > c1", "Go's dash"},
      {"--root=/r --systemd-cgroup --root=/r --systemd-cgroup exec -d c1 ls",
       "--root /r --systemd-cgroup --root /r --systemd-cgroup > exec > --detach > c1 ls",
       "conmon-rs says everything twice"},
      {"--debug --log F --log-format json create c1", "--debug --log F --log-format json > create >  > c1",
       "go-runc's order"},
      {"--root state c1", "--root state > c1 >  > ", "a value is taken, whatever it looks like"},
      {"state --root /r c1", " > state > --root > /r c1", "behind the command a global is unknown"},
      {"--frob create c1", "--frob > create >  > c1", "an unknown global is kept, to be named"},
      {"--root", "--root >  >  > ", "a missing value is left for parsing to find"},
      {"-- state c1", " > state >  > c1", "-- ends the globals"},
      {"", " >  >  > ", "nothing at all"},
  };
  for (const Case& c : cases)
    check(c);
}

TEST_CASE("questions for help and version are recognised where they are options", "[cli][arguments]") {
  const Case cases[] = {
      {"--help", " >  HELP >  > ", "the program"},
      {"-h", " >  HELP >  > ", "in short"},
      {"-help", " >  HELP >  > ", "Go's dash"},
      {"--help create", " > create HELP >  > ", "before a command it asks about that"},
      {"create --help", " > create HELP >  > ", "behind it, too"},
      {"create -h c1", " > create HELP >  > c1", "in short"},
      {"help", " >  HELP >  > ", "the command"},
      {"help run", " > run HELP >  > ", "the command with a topic"},
      {"-v", " >  VERSION >  > ", "in short"},
      {"-V", " >  VERSION >  > ", "as crun has it"},
      {"--version", " >  VERSION >  > ", "in full"},
      {"--root /r --log F --version", "--root /r --log F >  VERSION >  > ", "go-runc puts globals before it"},
      {"create -v", " > create > -v > ", "it is no option of a command"},
  };
  for (const Case& c : cases)
    check(c);
}

TEST_CASE("unknown words are kept as they were", "[cli][arguments]") {
  const Case cases[] = {
      {"create --frob c1", " > create > --frob > c1", "an unknown long option"},
      {"create --frob=x c1", " > create > --frob=x > c1", "with a value"},
      {"create -x c1", " > create > -x > c1", "an unknown letter"},
      {"exec -dx c1 ls", " > exec > -dx > c1 ls", "an unknown letter among known ones: none of them counts"},
      {"kill c1 -9", " > kill > -9 > c1", "a number is a letter like another"},
      {"frob --root x -y", " > frob >  > --root x -y", "an unknown command keeps everything"},
  };
  for (const Case& c : cases)
    check(c);
}
