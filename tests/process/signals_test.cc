#include <csignal>

#include "runtime/process/plan.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

TEST_CASE("a signal is a number, a name in any case, or a distance from the real-time ends",
          "[process][signals]") {
  struct Case {
    const char* text;
    int number;
  };
  for (const Case& c : {Case{"9", 9},
                        Case{"1", 1},
                        Case{"64", 64},
                        Case{"34", 34},
                        Case{"KILL", SIGKILL},
                        Case{"SIGKILL", SIGKILL},
                        Case{"kill", SIGKILL},
                        Case{"sigkill", SIGKILL},
                        Case{"SigTerm", SIGTERM},
                        Case{"USR1", SIGUSR1},
                        Case{"CLD", SIGCHLD},
                        Case{"IOT", SIGABRT},
                        Case{"POLL", SIGIO},
                        Case{"WINCH", SIGWINCH},
                        Case{"SYS", SIGSYS},
                        Case{"PWR", SIGPWR},
                        Case{"RTMIN", 34},
                        Case{"SIGRTMIN", 34},
                        Case{"RTMIN+0", 34},
                        Case{"rtmin+3", 37},
                        Case{"SIGRTMIN+3", 37},
                        Case{"RTMIN+30", 64},
                        Case{"RTMAX", 64},
                        Case{"RTMAX-0", 64},
                        Case{"SIGRTMAX-2", 62},
                        Case{"RTMAX-30", 34}}) {
    INFO(c.text);
    CHECK(parse_signal(c.text) == c.number);
  }
}

TEST_CASE("what is not exactly a signal is refused", "[process][signals]") {
  struct Case {
    const char* text;
    const char* because;
  };
  for (const Case& c : {Case{"", "empty"},
                        Case{"0", "the null signal sends nothing"},
                        Case{"65", "beyond the last"},
                        Case{"-1", "negative"},
                        Case{"+9", "numbers have no sign"},
                        Case{"9 ", "trailing space"},
                        Case{"0x9", "numbers are decimal"},
                        Case{"9KILL", "half a number"},
                        Case{"SIG", "only the prefix"},
                        Case{"SIGSIGKILL", "the prefix comes once"},
                        Case{"KILLS", "a longer name"},
                        Case{"SIG9", "no numbers after SIG"},
                        Case{"RTMIN-1", "below the first"},
                        Case{"RTMIN+31", "beyond the last"},
                        Case{"RTMAX+1", "beyond the last"},
                        Case{"RTMAX-31", "below the first"},
                        Case{"RTMIN+", "no distance"},
                        Case{"RTMIN++1", "two signs"},
                        Case{"RTMIN+-1", "two signs"},
                        Case{"RTMINX", "a longer name"},
                        Case{"RTMI", "a shorter name"},
                        Case{"99999999999999999999", "overflows"}}) {
    INFO(c.text << ": " << c.because);
    CHECK_FALSE(parse_signal(c.text).has_value());
  }
}

TEST_CASE("a signal is told by the name it is parsed from", "[process][signals]") {
  for (int signal = 1; signal < 32; ++signal)
    CHECK(parse_signal(describe_signal(signal)) == signal);
  CHECK(describe_signal(SIGTERM) == "SIGTERM");
  CHECK(describe_signal(SIGIO) == "SIGIO");
  CHECK(describe_signal(34) == "SIG34");
}

}  // namespace
}  // namespace capsule::process
