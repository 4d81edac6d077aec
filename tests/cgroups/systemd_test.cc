// A container as a scope: names, places, properties, and the text in which they travel.
#include "cgroups/systemd.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "cgroups/device_policy.h"
#include "cgroups/plan.h"
#include "cgroups/systemd_properties.h"
#include "cgroups/systemd_request.h"
#include "cgroups/systemd_unit.h"
#include "cgroups/systemd_value.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cgroups;

namespace {

// "MemoryMax uint64 5", a line for each property.
std::vector<std::string> lines_of(const std::vector<PlannedProperty>& properties) {
  std::vector<std::string> lines;
  for (const PlannedProperty& p : properties)
    lines.push_back(p.property.name + " " + describe(p.property.value));
  return lines;
}

std::vector<std::string> limits_of(const std::vector<Write>& writes) {
  return lines_of(plan_limit_properties(writes));
}

std::string annotated(const std::string& name, const std::string& text) {
  const auto planned = plan_annotation_properties({{"org.systemd.property." + name, text}});
  if (!planned.has_value()) return planned.error().message();
  return planned.value().at(0).name + " " + describe(planned.value().at(0).value);
}

}  // namespace

TEST_CASE("cgroupsPath names slice, prefix and name of a scope", "[cgroups][systemd]") {
  struct Case {
    std::optional<std::string> path;
    Manager manager;
    std::string slice, unit;
  };
  const auto c = GENERATE(values<Case>({
      {std::nullopt, Manager::system, "system.slice", "capsule-c1.scope"},
      {"", Manager::user, "user.slice", "capsule-c1.scope"},
      {"a.slice:b:c", Manager::system, "a.slice", "b-c.scope"},
      {"a-b.slice::c", Manager::user, "a-b.slice", "c.scope"},
      {":b:c.scope", Manager::system, "system.slice", "b-c.scope"},
      {"-.slice:b:c", Manager::system, "-.slice", "b-c.scope"},
  }));
  const auto name = plan_scope_name(c.path, "c1", c.manager);
  REQUIRE(name.has_value());
  CHECK(name.value().slice == c.slice);
  CHECK(name.value().unit == c.unit);
}

TEST_CASE("what stands in no unit's name is escaped in an id", "[cgroups][systemd]") {
  CHECK(plan_scope_name({}, "a+b", Manager::system).value().unit == "capsule-a\\x2bb.scope");
}

TEST_CASE("a cgroupsPath that names no scope is refused", "[cgroups][systemd]") {
  const auto [path, words] = GENERATE(table<std::string, std::string>({
      {"/a/b",
       "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"/a/b\" "
       "instead"},
      {"a:b:c:d", "got \"a:b:c:d\" instead"},
      {"a.slice:b:", "names no unit"},
      {"a.slice:b:c.slice", "holds no processes"},
      {"a.slice:b:c/d", "\"/\" cannot stand in it"},
      {"a:b:c", "must end in \".slice\""},
      {"a--b.slice:b:c", "a dash stands between two names"},
      {"-a.slice:b:c", "a dash stands between two names"},
      {"a-.slice:b:c", "a dash stands between two names"},
      {".slice:b:c", "must end in \".slice\""},
      {std::string("a.slice:b:") + std::string(300, 'c'), "longer than a unit's name may be"},
  }));
  const auto name = plan_scope_name(path, "c1", Manager::system);
  REQUIRE_FALSE(name.has_value());
  CHECK_THAT(name.error().message(), Catch::Matchers::Contains(words));
  CHECK_THAT(name.error().message(), Catch::Matchers::StartsWith("/linux/cgroupsPath: "));
}

TEST_CASE("a slice lies in those that its name begins with", "[cgroups][systemd]") {
  CHECK(expand_slice("a.slice").value() == "/a.slice");
  CHECK(expand_slice("a-b-c.slice").value() == "/a.slice/a-b.slice/a-b-c.slice");
  CHECK(expand_slice("-.slice").value().empty());
}

TEST_CASE("a user's manager is found above the caller, or where systemd puts it", "[cgroups][systemd]") {
  const std::string usual = "/user.slice/user-1000.slice/user@1000.service";
  CHECK(cgroup_of_user_manager("/user.slice/user-1000.slice/session-3.scope", 1000) == usual);
  CHECK(cgroup_of_user_manager(usual + "/app.slice/x.scope", 1000) == usual);
  CHECK(cgroup_of_user_manager("/odd/user@1000.service/x", 1000) == "/odd/user@1000.service");
  CHECK(cgroup_of_user_manager(usual, 1000) == usual);
  CHECK(is_below("/a/b", "/a"));
  CHECK(is_below("/a", "/a"));
  CHECK_FALSE(is_below("/ab", "/a"));
}

TEST_CASE("whose manager is asked follows from the user namespace", "[cgroups][systemd]") {
  const std::string initial = "         0          0 4294967295\n";
  CHECK(manager_of(0, initial).manager == Manager::system);
  CHECK_FALSE(manager_of(0, initial).in_user_namespace);
  CHECK(manager_of(1000, initial).manager == Manager::user);
  CHECK(manager_of(1000, initial).uid == 1000);

  const ManagerFacts rootless =
      manager_of(0, "         0       1000          1\n         1     100000      65536\n");
  CHECK(rootless.manager == Manager::user);
  CHECK(rootless.uid == 1000);
  CHECK(rootless.in_user_namespace);
  CHECK(manager_of(5, "0 1000 1\n1 100000 65536\n").uid == 100004);
}

TEST_CASE("each line that has a property becomes it", "[cgroups][systemd]") {
  const auto [file, value, property] = GENERATE(table<std::string, std::string, std::string>({
      {"memory.max", "5", "MemoryMax uint64 5"},
      {"memory.max", "max", "MemoryMax uint64 18446744073709551615"},
      {"memory.low", "5", "MemoryLow uint64 5"},
      {"memory.high", "5", "MemoryHigh uint64 5"},
      {"memory.min", "5", "MemoryMin uint64 5"},
      {"memory.swap.max", "0", "MemorySwapMax uint64 0"},
      {"memory.zswap.max", "7", "MemoryZSwapMax uint64 7"},
      {"memory.oom.group", "1", "OOMPolicy 'kill'"},
      {"memory.oom.group", "0", "OOMPolicy 'continue'"},
      {"cpu.weight", "59", "CPUWeight uint64 59"},
      {"cpu.idle", "1", "CPUWeight uint64 0"},
      {"cpuset.cpus", "0-2,9", "AllowedCPUs [byte 7, byte 2]"},
      {"cpuset.mems", "0", "AllowedMemoryNodes [byte 1]"},
      {"pids.max", "50", "TasksMax uint64 50"},
      {"io.weight", "default 100", "IOWeight uint64 100"},
  }));
  CHECK(limits_of({{.file = file, .value = value}}) == std::vector{property});
}

TEST_CASE("lines without a property are left to the files", "[cgroups][systemd]") {
  const auto [file, value] = GENERATE(table<std::string, std::string>({
      {"io.max", "8:0 rbps=5"},
      {"io.weight", "8:0 100"},
      {"cpu.idle", "0"},
      {"cpu.max.burst", "5"},
      {"hugetlb.2MB.max", "0"},
      {"cpuset.cpus", "\n"},
      {"cpuset.cpus", "0-99999"},
      {"memory.max", "1G"},
  }));
  CHECK(limits_of({{.file = file, .value = value}}).empty());
}

TEST_CASE("a quota is rounded up to the hundredth that systemd knows", "[cgroups][systemd]") {
  const auto [value, per_second] = GENERATE(table<std::string, std::string>({
      {"25000 100000", "250000"},
      {"12345 100000", "130000"},
      {"1000 1000000", "10000"},
      {"200000 100000", "2000000"},
  }));
  const auto lines = limits_of({{.file = "cpu.max", .value = value}});
  REQUIRE(lines.size() == 2);
  CHECK(lines[1] == "CPUQuotaPerSecUSec uint64 " + per_second);
  CHECK(limits_of({{.file = "cpu.max", .value = "max 100000"}})[1] ==
        "CPUQuotaPerSecUSec uint64 18446744073709551615");
}

TEST_CASE("the last of two lines for a file is the property", "[cgroups][systemd]") {
  CHECK(limits_of({{.file = "memory.max", .value = "5"}, {.file = "memory.max", .value = "6"}}) ==
        std::vector<std::string>{"MemoryMax uint64 6"});
}

TEST_CASE("what an update changed goes back to what it was, or to no limit", "[cgroups][systemd]") {
  const auto changed = plan_limit_properties({{.file = "memory.max", .value = "9"},
                                              {.file = "memory.low", .value = "9"},
                                              {.file = "cpuset.cpus", .value = "1"},
                                              {.file = "pids.max", .value = "9"}});
  CHECK(lines_of(plan_former_properties(changed, {{.file = "memory.max", .value = "5"}})) ==
        std::vector<std::string>{"MemoryMax uint64 5", "MemoryLow uint64 0", "AllowedCPUs @ay []",
                                 "TasksMax uint64 18446744073709551615"});
}

TEST_CASE("devices that rules allow are told after the list was emptied", "[cgroups][systemd]") {
  DevicePolicy policy;
  policy.matches = {
      {.allow = true, .type = DeviceType::character, .major = 1, .minor = 3, .access = kAccessAll},
      {.allow = false, .type = DeviceType::block, .major = 8, .access = kAccessWrite},
      {.allow = true, .type = DeviceType::any, .access = kAccessMknod},
      {.allow = true, .type = DeviceType::character, .major = 136, .access = kAccessRead}};
  CHECK(lines_of(plan_device_properties(policy)) ==
        std::vector<std::string>{"DeviceAllow @a(ss) []", "DevicePolicy 'strict'",
                                 "DeviceAllow [('/dev/char/1:3', 'rwm'), ('char-*', 'm'), ('block-*', 'm'), "
                                 "('char-136', 'r')]"});
  policy.allow_rest = true;
  CHECK(lines_of(plan_device_properties(policy)) ==
        std::vector<std::string>{"DeviceAllow @a(ss) []", "DevicePolicy 'auto'"});
}

TEST_CASE("annotations become properties", "[cgroups][systemd]") {
  CHECK(annotated("TimeoutStopUSec", "uint64 5000000") == "TimeoutStopUSec uint64 5000000");
  CHECK(annotated("TimeoutStopSec", "5") == "TimeoutStopUSec uint64 5000000");
  CHECK(annotated("TimeoutStopSec", "5.5") == "TimeoutStopUSec uint64 5500000");
  CHECK(annotated("TimeoutStopSec", "'5'") == "TimeoutStopUSec uint64 5000000");
  CHECK(annotated("CollectMode", "'inactive'") == "CollectMode 'inactive'");
  CHECK(plan_annotation_properties({{"some.other", "'x'"}}).value().empty());
}

TEST_CASE("wrong annotations are refused by name", "[cgroups][systemd]") {
  const std::string key = "annotation org.systemd.property.";
  CHECK(annotated("ab", "1") == key + "ab: name incorrect: too short");
  CHECK(annotated("Memory9", "1") == key + "Memory9: name incorrect: contains non-alphabetic character");
  CHECK_THAT(annotated("CollectMode", "inactive"),
             Catch::Matchers::StartsWith(key + "CollectMode: value parse error: "));
  CHECK_THAT(annotated("TimeoutStopSec", "'soon'"), Catch::Matchers::Contains("must be a number of seconds"));
  CHECK_THAT(annotated("TimeoutStopSec", "-1"), Catch::Matchers::Contains("must be a number of seconds"));
}

TEST_CASE("GVariant text is understood", "[cgroups][systemd]") {
  const auto [text, described] = GENERATE(table<std::string, std::string>({
      {"true", "true"},
      {" 5 ", "5"},
      {"-5", "-5"},
      {"0x10", "16"},
      {"010", "8"},
      {"1.5", "double 1.5"},
      {"uint64 18446744073709551615", "uint64 18446744073709551615"},
      {"int64 -9223372036854775808", "int64 -9223372036854775808"},
      {"byte 255", "byte 255"},
      {"@t 5", "uint64 5"},
      {"'a\\'b'", "'a\\'b'"},
      {"\"a'b\"", "'a\\'b'"},
      {"'\\u00e9\\n'", "'\xc3\xa9\\u000a'"},
      {"objectpath '/a'", "objectpath '/a'"},
      {"['a', 'b']", "['a', 'b']"},
      {"[uint32 1, 2]", "[uint32 1, uint32 2]"},
      {"@as []", "@as []"},
      {"@a(ss) [('a', 'b')]", "[('a', 'b')]"},
      {"('a', 1, true)", "('a', 1, true)"},
      {"b'ab'", "[byte 97, byte 98, byte 0]"},
  }));
  const auto value = parse_gvariant(text);
  REQUIRE(value.has_value());
  CHECK(describe(value.value()) == described);
  CHECK(describe(parse_gvariant(described).value()) == described);
}

TEST_CASE("what is no GVariant text is refused with its place", "[cgroups][systemd]") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"", "a value is missing"},
      {"a", "is no number"},
      {"5 6", "byte 2: more follows the value"},
      {"'a", "the quotes do not end"},
      {"[1, 'a']", "must be of type i"},
      {"[1", "a comma or ] is missing"},
      {"[]", "an empty array needs a type"},
      {"()", "has too few members"},
      {"byte 256", "is no number of type y"},
      {"uint32 -1", "is no number of type u"},
      {"2147483648", "is no number of type i"},
      {"{'a': 1}", "dictionaries and variants are not supported"},
      {"'\\ud800'", "is no code point"},
      {"@z 1", "is no type"},
      {"@a 1", "is no type"},
      {"@(ss) ('a',)", "is no value"},
      {"@(ss) ('a')", "has too few members"},
      {std::string(100, '['), "is nested too deeply"},
  }));
  const auto value = parse_gvariant(text);
  REQUIRE_FALSE(value.has_value());
  CHECK_THAT(value.error().message(), Catch::Matchers::Contains(words));
}

TEST_CASE("a request is read as it was written", "[cgroups][systemd]") {
  const SystemdRequest request{
      .verb = SystemdRequest::Verb::start_around_me,
      .manager = Manager::user,
      .uid = 1000,
      .unit = "capsule-c1.scope",
      .properties = {{{"Description", BusValue::of_text("two\nlines 'and' \\ more")}, 0},
                     {{"MemoryMax", BusValue::of_number(std::numeric_limits<std::uint64_t>::max())}, 231},
                     {{"PIDs", pids_of({1, 2})}, 0}}};
  const auto read = decode_request(encode(request));
  REQUIRE(read.has_value());
  CHECK(encode(read.value()) == encode(request));
  CHECK(read.value().properties[0].property.value.text == "two\nlines 'and' \\ more");
  CHECK(read.value().properties[1].since == 231);
  CHECK_FALSE(decode_request("jump\nsystem\n0\nunit\n").has_value());
  CHECK_FALSE(decode_request("stop\n").has_value());
  CHECK_FALSE(decode_request("stop\nsystem\n0\nunit\nnonsense\n").has_value());
}
