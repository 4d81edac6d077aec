#include <sys/resource.h>

#include "runtime/process/plan.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

TEST_CASE("every resource limit of the specification has its kernel number", "[process][rlimits]") {
  struct Case {
    const char* type;
    int resource;
  };
  for (const Case& c : {Case{"RLIMIT_AS", RLIMIT_AS}, Case{"RLIMIT_CORE", RLIMIT_CORE},
                        Case{"RLIMIT_CPU", RLIMIT_CPU}, Case{"RLIMIT_DATA", RLIMIT_DATA},
                        Case{"RLIMIT_FSIZE", RLIMIT_FSIZE}, Case{"RLIMIT_LOCKS", RLIMIT_LOCKS},
                        Case{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, Case{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                        Case{"RLIMIT_NICE", RLIMIT_NICE}, Case{"RLIMIT_NOFILE", RLIMIT_NOFILE},
                        Case{"RLIMIT_NPROC", RLIMIT_NPROC}, Case{"RLIMIT_RSS", RLIMIT_RSS},
                        Case{"RLIMIT_RTPRIO", RLIMIT_RTPRIO}, Case{"RLIMIT_RTTIME", RLIMIT_RTTIME},
                        Case{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING}, Case{"RLIMIT_STACK", RLIMIT_STACK}}) {
    INFO(c.type);
    const Result<std::vector<ResourceLimit>> limits = plan_rlimits({{c.type, 5, 7}});

    REQUIRE(limits.has_value());
    REQUIRE(limits.value().size() == 1);
    CHECK(limits.value()[0].resource == c.resource);
    CHECK(limits.value()[0].soft == 5);
    CHECK(limits.value()[0].hard == 7);
  }
}

TEST_CASE("limits keep their order, their infinity and the pointer of what asked for them",
          "[process][rlimits]") {
  const Result<std::vector<ResourceLimit>> limits =
      plan_rlimits({{"RLIMIT_NOFILE", 1024, 1024}, {"RLIMIT_CORE", 0, 18446744073709551615ULL}});

  REQUIRE(limits.has_value());
  REQUIRE(limits.value().size() == 2);
  CHECK(limits.value()[0].field == "/process/rlimits/0");
  CHECK(limits.value()[1].field == "/process/rlimits/1");
  CHECK(limits.value()[1].resource == RLIMIT_CORE);
  CHECK(limits.value()[1].hard == RLIM_INFINITY);
}

TEST_CASE("a wrong limit is refused with its pointer", "[process][rlimits]") {
  struct Case {
    std::vector<spec::Rlimit> rlimits;
    const char* message;
  };
  for (const Case& c :
       {Case{{{"RLIMIT_CORE", 0, 0}, {"RLIMIT_FOO", 1, 1}},
             "/process/rlimits/1/type: wrong rlimit value: RLIMIT_FOO"},
        Case{{{"rlimit_core", 0, 0}}, "/process/rlimits/0/type: wrong rlimit value: rlimit_core"},
        Case{{{"NOFILE", 0, 0}}, "/process/rlimits/0/type: wrong rlimit value: NOFILE"},
        Case{{{"RLIMIT_NOFILE", 2, 1}},
             "/process/rlimits/0/soft: the soft limit of RLIMIT_NOFILE is above its hard limit"}}) {
    const Result<std::vector<ResourceLimit>> limits = plan_rlimits(c.rlimits);

    REQUIRE_FALSE(limits.has_value());
    CHECK(limits.error().kind() == ErrorKind::invalid_config);
    CHECK(limits.error().message() == c.message);
  }
}

TEST_CASE("a bit list becomes a mask of machine words", "[process][bit-list]") {
  struct Case {
    const char* list;
    std::vector<unsigned long> mask;
    const char* because;
  };
  const std::vector<Case> cases = {
      {"", {}, "nothing"},
      {"0", {1}, "one number"},
      {"0-3,7", {0x8f}, "a range and a number"},
      {"7,0-3", {0x8f}, "order does not matter"},
      {"3-3", {8}, "a range of one"},
      {"1,1,0-1", {3}, "overlaps are fine"},
      {" 1 , 2\n", {6}, "spaces as a file has them"},
      {"1,,2,", {6}, "empty elements as the kernel lets them through"},
      {"63,64", {1UL << 63U, 1}, "across a word"},
      {"62-65", {3UL << 62U, 3}, "a range across a word"},
      {"128", {0, 0, 1}, "words in between are empty"},
  };
  for (const Case& c : cases) {
    if (sizeof(unsigned long) != 8) continue;  // the masks above are written for 64-bit words
    INFO(c.list << ": " << c.because);
    const Result<std::vector<unsigned long>> mask = parse_bit_list(c.list, "/f");
    REQUIRE(mask.has_value());
    CHECK(mask.value() == c.mask);
  }
}

TEST_CASE("a malformed bit list is refused with the element and the pointer", "[process][bit-list]") {
  struct Case {
    const char* list;
    const char* because;
  };
  for (const Case& c :
       {Case{"x", "no number"}, Case{"-", "no numbers"}, Case{"1-", "no end"}, Case{"-1", "no beginning"},
        Case{"3-1", "backwards"}, Case{"1-2-3", "two dashes"}, Case{"0x1", "numbers are decimal"},
        Case{"+1", "a sign"}, Case{"1 2", "no comma"}, Case{"1 - 2", "spaces inside"},
        Case{"65536", "beyond any machine"}, Case{"0-4294967295", "a mask of half a gigabyte"},
        Case{"99999999999999999999", "overflows"}, Case{"0-6:1/2", "strides are the kernel's own"}}) {
    INFO(c.list << ": " << c.because);
    const Result<std::vector<unsigned long>> mask = parse_bit_list(c.list, "/linux/x/nodes");
    REQUIRE_FALSE(mask.has_value());
    CHECK(mask.error().kind() == ErrorKind::invalid_config);
    CHECK(mask.error().message().find("/linux/x/nodes: ") == 0);
  }
}

}  // namespace
}  // namespace capsule::process
