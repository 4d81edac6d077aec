#include "runtime/launch/notify_message.h"

#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

TEST_CASE("of a notification the lines about the service's state are passed on", "[launch][notify]") {
  struct Case {
    std::string datagram;
    bool ready;
    const char* lines;
    const char* because;
  };
  for (const Case& c : {
           Case{"READY=1", true, "", "the newline is optional"},
           Case{"STATUS=loading\nREADY=1\n", true, "STATUS=loading\n", "READY need not come first"},
           Case{"XREADY=1\nREADY=10\nREADY=\n", false, "", "a line is READY=1 or it is not"},
           Case{"RELOADING=1\nMONOTONIC_USEC=12\n", false, "RELOADING=1\nMONOTONIC_USEC=12\n", "reload"},
           Case{"STOPPING=1\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=5000000", false,
                "STOPPING=1\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=5000000\n", "all of the list"},
           Case{"MAINPID=1\nREADY=1\nMAINPID=4711", true, "", "a pid of the container is none of the host's"},
           Case{"FDSTORE=1\nFDNAME=x\nBUSERROR=a\nERRNO=2\nNOTIFYACCESS=all\nWATCHDOG_USEC=1\nBARRIER=1",
                false, "", "not about the state"},
           Case{"WATCHDOG=trigger\nSTOPPING=2\nEXTEND_TIMEOUT_USEC=-1\nMONOTONIC_USEC=", false, "",
                "wrong values"},
           Case{"EXTEND_TIMEOUT_USEC=123456789012345678901", false, "", "more digits than a number has"},
           Case{"STATUS=a\x1b[2Jb\nSTATUS=tab\there\nSTATUS=plain \xc3\xa4", false, "STATUS=plain \xc3\xa4\n",
                "no control characters in somebody's terminal"},
           Case{std::string("STATUS=a\0b", 10), false, "", "nor a NUL"},
           Case{"", false, "", "nothing"},
           Case{"=\n\n=1\nnonsense", false, "", "nothing known"},
       }) {
    INFO(c.because);
    const Notification told = filter_notification(c.datagram);
    CHECK(told.ready == c.ready);
    CHECK(told.lines == c.lines);
  }
}

TEST_CASE("a service manager listens at a path or an abstract name", "[launch][notify]") {
  CHECK(is_notify_address("/run/systemd/notify"));
  CHECK(is_notify_address("@manager"));
  CHECK_FALSE(is_notify_address("relative"));
  CHECK_FALSE(is_notify_address("vsock:2:1234"));
  CHECK_FALSE(is_notify_address("@"));
  CHECK(is_notify_address("/" + std::string(106, 'x')));
  CHECK_FALSE(is_notify_address("/" + std::string(107, 'x')));
}

}  // namespace
}  // namespace capsule::launch
