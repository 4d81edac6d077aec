#include <sys/capability.h>

#include "runtime/process/plan.h"
#include "tests/support/catch.h"

namespace capsule::process {
namespace {

std::uint64_t bit(int capability) {
  return std::uint64_t{1} << static_cast<unsigned>(capability);
}

TEST_CASE("every capability has the name that libcap gives its number", "[process][capabilities]") {
  const std::vector<std::string> names = known_capabilities();

  REQUIRE(names.size() == 41);
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    cap_value_t number = -1;
    REQUIRE(cap_from_name(names[i].c_str(), &number) == 0);
    CHECK(number == static_cast<int>(i));

    std::vector<std::string> warnings;
    spec::Capabilities only;
    only.bounding = {names[i]};
    CHECK(plan_capabilities(only, warnings).bounding == bit(number));
    CHECK(warnings.empty());
  }
}

TEST_CASE("without a capabilities object every set is empty", "[process][capabilities]") {
  std::vector<std::string> warnings;

  const CapabilitySets sets = plan_capabilities(std::nullopt, warnings);

  CHECK((sets.bounding | sets.effective | sets.permitted | sets.inheritable | sets.ambient) == 0);
  CHECK(warnings.empty());
}

TEST_CASE("each list fills its own set and inheritable stays empty unless asked for",
          "[process][capabilities]") {
  spec::Capabilities config;
  config.bounding = {"CAP_CHOWN", "CAP_KILL"};
  config.permitted = {"CAP_CHOWN", "CAP_KILL"};
  config.effective = {"CAP_CHOWN"};
  std::vector<std::string> warnings;

  const CapabilitySets sets = plan_capabilities(config, warnings);

  CHECK(sets.bounding == (bit(CAP_CHOWN) | bit(CAP_KILL)));
  CHECK(sets.permitted == (bit(CAP_CHOWN) | bit(CAP_KILL)));
  CHECK(sets.effective == bit(CAP_CHOWN));
  CHECK(sets.inheritable == 0);
  CHECK(sets.ambient == 0);
  CHECK(warnings.empty());
}

TEST_CASE("a capability name that is not exactly one of the kernel's is ignored with a warning",
          "[process][capabilities]") {
  struct Case {
    const char* name;
    const char* because;
  };
  for (const Case& c :
       {Case{"CAP_TO_RULE_THEM_ALL", "there is no such capability"},
        Case{"CHOWN", "the prefix is part of the name"}, Case{"cap_chown", "names are upper case"},
        Case{"CAP_CHOWN ", "nothing is trimmed"}, Case{"", "empty"}, Case{"0", "numbers are not names"}}) {
    INFO(c.because);
    spec::Capabilities config;
    config.bounding = {"CAP_KILL", c.name};
    std::vector<std::string> warnings;

    CHECK(plan_capabilities(config, warnings).bounding == bit(CAP_KILL));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("bounding") != std::string::npos);
    CHECK(warnings[0].find(c.name) != std::string::npos);
  }
}

TEST_CASE("capabilities that the kernel would not grant are left out with a warning",
          "[process][capabilities]") {
  struct Case {
    spec::Capabilities config;
    CapabilitySets expected;
    std::size_t warnings;
    const char* because;
  };
  const std::vector<std::string> kill = {"CAP_KILL"};
  const std::uint64_t k = bit(CAP_KILL);
  const std::vector<Case> cases = {
      {{.effective = kill}, {}, 1, "effective must be permitted"},
      {{.inheritable = kill, .permitted = kill},
       {.permitted = k},
       1,
       "inheritable must be in the bounding set"},
      {{.bounding = kill, .permitted = kill, .ambient = kill},
       {.bounding = k, .permitted = k},
       1,
       "ambient must be inheritable"},
      {{.bounding = kill, .inheritable = kill, .ambient = kill},
       {.bounding = k, .inheritable = k},
       1,
       "ambient must be permitted"},
      {{.inheritable = kill, .permitted = kill, .ambient = kill},
       {.permitted = k},
       2,
       "what leaves inheritable leaves ambient"},
      {{.bounding = kill, .effective = kill, .inheritable = kill, .permitted = kill, .ambient = kill},
       {.bounding = k, .effective = k, .permitted = k, .inheritable = k, .ambient = k},
       0,
       "all five together are fine"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    std::vector<std::string> warnings;

    const CapabilitySets sets = plan_capabilities(c.config, warnings);

    CHECK(sets.bounding == c.expected.bounding);
    CHECK(sets.effective == c.expected.effective);
    CHECK(sets.permitted == c.expected.permitted);
    CHECK(sets.inheritable == c.expected.inheritable);
    CHECK(sets.ambient == c.expected.ambient);
    CHECK(warnings.size() == c.warnings);
  }
}

}  // namespace
}  // namespace capsule::process
