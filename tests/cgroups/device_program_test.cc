#include "cgroups/device_program.h"

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/cgroups/bpf_interpreter.h"
#include "tests/support/catch.h"

namespace cgroups = capsule::cgroups;
namespace spec = capsule::spec;
using capsule::test::interpret;
using capsule::test::reaches_everything;
using Request = capsule::test::DeviceRequest;

namespace {

constexpr std::uint32_t kChar = BPF_DEVCG_DEV_CHAR;
constexpr std::uint32_t kBlock = BPF_DEVCG_DEV_BLOCK;
constexpr std::uint32_t kMknod = BPF_DEVCG_ACC_MKNOD;
constexpr std::uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t kWrite = BPF_DEVCG_ACC_WRITE;

bool is_allowed(const std::vector<spec::DeviceRule>& rules, const Request& request) {
  const auto program = cgroups::plan_device_program(rules);
  REQUIRE(program.has_value());
  return program.value().allows_everything || interpret(program.value().instructions, request);
}

// ---- the same verdict, found the plain way: every rule of config.json and every default, from the last to
// the first

std::uint32_t mask_of(const std::string& access) {
  std::uint32_t mask = 0;
  if (access.find('m') != std::string::npos) mask |= kMknod;
  if (access.find('r') != std::string::npos) mask |= kRead;
  if (access.find('w') != std::string::npos) mask |= kWrite;
  return mask;
}

bool is_any(const std::optional<std::int64_t>& number) {
  return number.value_or(-1) == -1;
}

bool matches(const spec::DeviceRule& rule, const Request& request) {
  if (!rule.type || rule.type == "a") return true;
  if ((rule.type == "c" ? kChar : kBlock) != request.type) return false;
  if (!is_any(rule.major) && *rule.major != request.major) return false;
  if (!is_any(rule.minor) && *rule.minor != request.minor) return false;
  const std::uint32_t mask = mask_of(*rule.access);
  if (mask == (kMknod | kRead | kWrite)) return true;
  return rule.allow ? (request.access & ~mask) == 0 : (request.access & mask) != 0;
}

spec::DeviceRule allow(const char* type, std::int64_t major, std::int64_t minor, const char* access) {
  return {true, type, major, minor, access};
}

spec::DeviceRule deny(const char* type, std::int64_t major, std::int64_t minor, const char* access) {
  return {false, type, major, minor, access};
}

std::vector<spec::DeviceRule> with_defaults(std::vector<spec::DeviceRule> rules) {
  for (const spec::DeviceRule& rule :
       {allow("c", -1, -1, "m"), allow("b", -1, -1, "m"), allow("c", 1, 3, "rwm"), allow("c", 1, 5, "rwm"),
        allow("c", 1, 7, "rwm"), allow("c", 1, 8, "rwm"), allow("c", 1, 9, "rwm"), allow("c", 5, 0, "rwm"),
        allow("c", 5, 1, "rwm"), allow("c", 5, 2, "rwm"), allow("c", 136, -1, "rwm"),
        allow("c", 10, 200, "rwm")}) {
    rules.push_back(rule);
  }
  return rules;
}

bool expected_verdict(const std::vector<spec::DeviceRule>& rules, const Request& request) {
  const auto last = std::find_if(rules.rbegin(), rules.rend(),
                                 [&](const spec::DeviceRule& rule) { return matches(rule, request); });
  return last != rules.rend() && last->allow;
}

// ---- random rules over few numbers, so that they meet

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t count) {
    return engine_() % count;
  }  // portable, unlike std::uniform_int_distribution
  template <class T, std::size_t N>
  T pick(const std::array<T, N>& choices) {
    return choices.at(below(N));
  }

 private:
  std::mt19937 engine_;
};

constexpr std::array<std::int64_t, 6> kMajors = {-1, 1, 5, 8, 136, 4095};
constexpr std::array<std::int64_t, 6> kMinors = {-1, 0, 3, 5, 200, 1048575};

spec::DeviceRule roll_rule(Dice& dice) {
  static constexpr std::array<const char*, 8> kTypes = {"c", "c", "c", "b", "b", "b", "c", "a"};
  static constexpr std::array<const char*, 9> kAccesses = {"r",  "w",   "m",   "rw", "rm",
                                                           "wm", "rwm", "rwm", "wr"};
  spec::DeviceRule rule{dice.below(2) == 0, dice.pick(kTypes), dice.pick(kMajors), dice.pick(kMinors),
                        dice.pick(kAccesses)};
  if (dice.below(8) == 0) rule.major.reset();
  if (dice.below(8) == 0) rule.minor.reset();
  return rule;
}

std::vector<Request> all_requests() {
  std::vector<Request> requests;
  for (const std::uint32_t type : {kBlock, kChar}) {
    for (std::uint32_t access = 0; access < 8; ++access) {
      for (const std::uint32_t major : {0U, 1U, 5U, 8U, 10U, 136U, 4095U}) {
        for (const std::uint32_t minor : {0U, 1U, 3U, 5U, 9U, 200U, 1048575U}) {
          requests.push_back({type, access, major, minor});
        }
      }
    }
  }
  return requests;
}

std::string spell(const std::vector<spec::DeviceRule>& rules) {
  std::string text;
  for (const spec::DeviceRule& rule : rules) {
    text += std::string(rule.allow ? "allow " : "deny ") + *rule.type + " " +
            std::to_string(rule.major.value_or(-1)) + ":" + std::to_string(rule.minor.value_or(-1)) + " " +
            *rule.access + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("programs decide as the list of rules does, for random rules and all kinds of requests",
          "[cgroups][devices]") {
  Dice dice(20261122);
  const std::vector<Request> requests = all_requests();

  for (int round = 0; round < 600; ++round) {
    std::vector<spec::DeviceRule> rules(dice.below(9));
    std::generate(rules.begin(), rules.end(), [&] { return roll_rule(dice); });
    const auto program = cgroups::plan_device_program(rules);
    REQUIRE(program.has_value());
    if (!program.value().allows_everything && !reaches_everything(program.value().instructions)) {
      FAIL("unreachable instruction for\n"
           << spell(rules) << cgroups::describe_device_program(program.value()));
    }
    const std::vector<spec::DeviceRule> all_rules = with_defaults(rules);
    for (const Request& request : requests) {
      const bool verdict =
          program.value().allows_everything || interpret(program.value().instructions, request);
      if (verdict == expected_verdict(all_rules, request)) continue;
      FAIL("type " << request.type << " access " << request.access << " of " << request.major << ":"
                   << request.minor << " wrongly " << (verdict ? "allowed" : "denied") << " by\n"
                   << spell(rules) << cgroups::describe_device_program(program.value()));
    }
  }
  SUCCEED();
}

TEST_CASE("without rules a container has the default devices and may make others, but not open them",
          "[cgroups][devices]") {
  struct Case {
    Request request;
    bool allowed;
    const char* because;
  };
  const std::vector<Case> cases = {
      {{kChar, kRead | kWrite, 1, 3}, true, "/dev/null"},
      {{kChar, kRead, 1, 9}, true, "/dev/urandom"},
      {{kChar, kRead | kWrite, 5, 1}, true, "/dev/console"},
      {{kChar, kRead | kWrite, 136, 77}, true, "/dev/pts/77"},
      {{kChar, kRead | kWrite, 10, 200}, true, "/dev/net/tun"},
      {{kChar, kRead, 1, 1}, false, "/dev/mem"},
      {{kBlock, kRead, 1, 3}, false, "a block device with /dev/null's numbers"},
      {{kBlock, kRead, 8, 0}, false, "/dev/sda"},
      {{kBlock, kMknod, 8, 0}, true, "mknod alone opens nothing"},
      {{kBlock, kMknod | kRead, 8, 0}, false, "mknod is no excuse for reading"},
      {{kChar, kRead, 10, 201}, false, "beside tun"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(is_allowed({}, each.request) == each.allowed);
  }
}

TEST_CASE("the last matching rule wins, and the default devices cannot be denied", "[cgroups][devices]") {
  struct Case {
    std::vector<spec::DeviceRule> rules;
    Request request;
    bool allowed;
    const char* because;
  };
  const Request read_sda{kBlock, kRead, 8, 0};
  const Request read_write_sda{kBlock, kRead | kWrite, 8, 0};
  const spec::DeviceRule deny_all{.allow = false, .access = "rwm"};
  const spec::DeviceRule allow_all{.allow = true, .access = "rwm"};
  const std::vector<Case> cases = {
      {{deny_all, allow("b", 8, 0, "r")}, read_sda, true, "allowed after the general denial"},
      {{allow("b", 8, 0, "r"), deny_all}, read_sda, false, "denied after the allowance"},
      {{deny_all, allow("b", 8, 0, "r")}, read_write_sda, false, "only reading was allowed"},
      {{deny_all, allow("b", 8, 0, "r"), allow("b", 8, 0, "w")},
       read_write_sda,
       false,
       "no single rule has both"},
      {{allow_all, deny("b", 8, 0, "w")}, read_write_sda, false, "a denied letter spoils the request"},
      {{allow_all, deny("b", 8, 0, "w")}, read_sda, true, "a letter that was not denied"},
      {{allow_all, deny("b", 8, -1, "rwm"), allow("b", 8, 0, "rwm")},
       read_sda,
       true,
       "an exception to an exception"},
      {{allow_all, deny("b", -1, -1, "rwm")}, read_sda, false, "all block devices"},
      {{allow_all, deny("b", -1, 0, "rwm")}, read_sda, false, "by minor alone"},
      {{allow_all, deny("c", 1, 3, "rwm")}, {kChar, kRead, 1, 3}, true, "the defaults come behind"},
      {{deny_all, {true, "a", 1, 1, "m"}},
       read_sda,
       true,
       "\"a\" is everything, whatever else the rule says"},
      {{deny_all, allow("b", -1, -1, "rwm")}, {kChar, kRead, 8, 0}, false, "the other type"},
      {{deny_all, allow("b", 8, -1, "r")}, {kBlock, kRead, 9, 0}, false, "another major"},
      {{deny_all, allow("b", -1, 5, "r")}, {kBlock, kRead, 9, 5}, true, "any major, that minor"},
      {{deny_all, allow("b", -1, 5, "r")}, read_sda, false, "another minor"},
      {{allow("b", 8, -1, "r"), deny("b", -1, 0, "r")}, read_sda, false, "one wildcard behind the other"},
      {{deny("b", -1, 0, "r"), allow("b", 8, -1, "r")}, read_sda, true, "and the other way round"},
      {{allow("b", 8, -1, "r"), deny("b", -1, 0, "r")},
       {kBlock, kRead, 8, 1},
       true,
       "where they do not meet"},
  };

  for (const Case& each : cases) {
    INFO(each.because);
    CHECK(is_allowed(each.rules, each.request) == each.allowed);
  }
}

TEST_CASE("rules that allow everything need no program", "[cgroups][devices]") {
  const spec::DeviceRule deny_all{.allow = false, .access = "rwm"};
  const spec::DeviceRule allow_all{.allow = true, .access = "rwm"};

  CHECK(cgroups::plan_device_program({deny_all, allow_all}).value().allows_everything);
  CHECK(cgroups::plan_device_program({allow_all, allow("b", 8, 0, "rwm")}).value().allows_everything);
  CHECK_FALSE(cgroups::plan_device_program({allow_all, deny("b", 8, 0, "w")}).value().allows_everything);
  CHECK_FALSE(cgroups::plan_device_program({}).value().allows_everything);
}

TEST_CASE("the usual rules of an engine add nothing to the default program", "[cgroups][devices]") {
  const auto plain = cgroups::plan_device_program({});
  const auto engine = cgroups::plan_device_program({{.allow = false, .access = "rwm"},
                                                    allow("c", 1, 5, "rwm"),
                                                    allow("c", 1, 3, "rwm"),
                                                    allow("c", 5, 0, "rw"),
                                                    allow("c", 136, -1, "rwm"),
                                                    allow("c", -1, -1, "m"),
                                                    allow("b", -1, -1, "m"),
                                                    deny("c", 10, 229, "rwm")});

  CHECK(plain.value().instructions.size() == 25);  // the verifier's work, which a container's start waits for
  CHECK(cgroups::describe_device_program(engine.value()) == cgroups::describe_device_program(plain.value()));
}

TEST_CASE("rules behind which an earlier one can decide nothing leave no trace", "[cgroups][devices]") {
  const spec::DeviceRule all_characters = allow("c", -1, -1, "rwm");
  const auto alone = cgroups::plan_device_program({all_characters});
  const auto settled =
      cgroups::plan_device_program({deny("c", 8, 1, "rwm"), allow("c", 8, 2, "r"), all_characters});

  CHECK(reaches_everything(alone.value().instructions));
  CHECK(cgroups::describe_device_program(settled.value()) == cgroups::describe_device_program(alone.value()));
}

TEST_CASE("a program is described one instruction a line", "[cgroups][devices]") {
  const auto program = cgroups::plan_device_program(
      {deny("b", 4095, 1048575, "w"), {.allow = true, .access = "rwm"}, deny("b", 4095, 1048575, "w")});

  CHECK(cgroups::describe_device_program(program.value()) ==
        R"(0: r2 = *(u32 *)(r1 +0)
1: r4 = *(u32 *)(r1 +4)
2: r5 = *(u32 *)(r1 +8)
3: w3 = w2
4: w3 >>= 0x10
5: w2 &= 0xffff
6: w1 = w4
7: w1 <<= 0x14
8: w1 |= w5
9: w0 = 0x1
10: if w3 & 0x6 goto +1
11: goto +16
12: if w2 != 0x2 goto +10
13: if w1 == 0x100003 goto +14
14: if w1 == 0x100005 goto +13
15: if w1 == 0x100007 goto +12
16: if w1 == 0x100008 goto +11
17: if w1 == 0x100009 goto +10
18: if w1 == 0x500000 goto +9
19: if w1 == 0x500001 goto +8
20: if w1 == 0x500002 goto +7
21: if w1 == 0xa000c8 goto +6
22: if w4 == 0x88 goto +5
23: if w2 != 0x1 goto +2
24: if w1 != 0xffffffff goto +1
25: if w3 & 0x4 goto +1
26: goto +1
27: w0 = 0x0
28: exit
)");
  CHECK(cgroups::describe_device_program({{}, true}) == "everything is allowed\n");
}

TEST_CASE("device rules that mean nothing are refused with their place", "[cgroups][devices]") {
  struct Case {
    spec::DeviceRule rule;
    const char* error;
  };
  const std::vector<Case> cases = {
      {{true, "c", 1, 3, std::nullopt},
       "/linux/resources/devices/1/access: device access cannot be empty: name some of r, w and m"},
      {{true, "c", 1, 3, ""},
       "/linux/resources/devices/1/access: device access cannot be empty: name some of r, w and m"},
      {{true, "c", 1, 3, "rx"}, "/linux/resources/devices/1/access: must be made of the letters r, w and m"},
      {{true, "p", 1, 3, "r"}, "/linux/resources/devices/1/type: must be a, b or c"},
      {{true, "c", -2, 3, "r"},
       "/linux/resources/devices/1/major: must be between 0 and 4095, or -1 for any"},
      {{true, "c", 4096, 3, "r"},
       "/linux/resources/devices/1/major: must be between 0 and 4095, or -1 for any"},
      {{true, "b", 1, 1048576, "r"},
       "/linux/resources/devices/1/minor: must be between 0 and 1048575, or -1 for any"},
  };

  for (const Case& each : cases) {
    const auto program = cgroups::plan_device_program({{.allow = false, .access = "rwm"}, each.rule});
    REQUIRE_FALSE(program.has_value());
    CHECK(program.error().message() == each.error);
    CHECK(program.error().kind() == capsule::ErrorKind::invalid_config);
  }
}

TEST_CASE("the longest list of rules still makes a program that decides, a longer one is refused",
          "[cgroups][devices]") {
  std::vector<spec::DeviceRule> rules{{.allow = true, .access = "rwm"}};
  while (rules.size() < 8192) {  // types and verdicts alternate: nothing can be shared
    const auto minor = static_cast<std::int64_t>(rules.size());
    rules.push_back({minor % 4 < 2, minor % 2 == 0 ? "b" : "c", 8, minor, "w"});
  }
  const auto longest = cgroups::plan_device_program(rules);
  REQUIRE(longest.has_value());
  CHECK(reaches_everything(longest.value().instructions));
  CHECK_FALSE(interpret(longest.value().instructions, {kChar, kWrite, 8, 3 + 4}) ==
              interpret(longest.value().instructions, {kChar, kWrite, 8, 1 + 4}));
  CHECK(interpret(longest.value().instructions, {kChar, kWrite, 9, 7}));

  rules.push_back(allow("b", 8, 0, "rwm"));
  const auto longer = cgroups::plan_device_program(rules);
  REQUIRE_FALSE(longer.has_value());
  CHECK(longer.error().message() == "/linux/resources/devices: has 8193 rules, one program holds 8192");
}
