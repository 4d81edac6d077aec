#include "namespaces/plan.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

const std::vector<spec::IdMapping> kMappings = {
    {.container_id = 0, .host_id = 1000, .size = 1},
    {.container_id = 1, .host_id = 100000, .size = 65535},
};

TEST_CASE("an id map is written one range a line, as the kernel reads it", "[namespaces][idmap]") {
  CHECK(describe_id_map(kMappings) == "0 1000 1\n1 100000 65535\n");
  CHECK(describe_id_map({}).empty());
}

TEST_CASE("the host's id is found in the range that holds the container's", "[namespaces][idmap]") {
  struct Case {
    std::uint32_t id;
    std::optional<std::uint32_t> on_host;
    std::string because;
  };
  const Case cases[] = {
      {0, 1000, "the first id of the first range"},       {1, 100000, "the first id of the second range"},
      {65535, 165534, "the last id of the second range"}, {65536, std::nullopt, "one past the end"},
      {UINT32_MAX, std::nullopt, "never mapped"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(host_id(kMappings, c.id) == c.on_host);
    CHECK(is_mapped(kMappings, c.id) == c.on_host.has_value());
  }
}

TEST_CASE("ranges at the end of the id space do not wrap around", "[namespaces][idmap]") {
  const std::vector<spec::IdMapping> last = {{.container_id = 10, .host_id = UINT32_MAX, .size = UINT32_MAX}};

  CHECK(host_id(last, 10) == UINT32_MAX);
  CHECK(host_id(last, 11) == std::nullopt);
  CHECK(host_id(last, 9) == std::nullopt);
}

TEST_CASE("a map is read back as the kernel prints it", "[namespaces][idmap]") {
  const auto map = parse_id_map("         0       1000          1\n         1     100000      65535\n");
  REQUIRE(map.has_value());
  CHECK(describe_id_map(*map) == "0 1000 1\n1 100000 65535\n");
  CHECK(parse_id_map("").value().empty());
  CHECK_FALSE(parse_id_map("0 0\n").has_value());
  CHECK_FALSE(parse_id_map("0 0 1 2\n").has_value());
  CHECK_FALSE(parse_id_map("0 0 x\n").has_value());
}

TEST_CASE("maps are the same when they mean the same", "[namespaces][idmap]") {
  using Map = std::vector<spec::IdMapping>;
  struct Case {
    Map one, other;
    bool same;
    const char* because;
  };
  for (const Case& c : {
           Case{{{0, 1000, 1}, {1, 5000, 9}}, {{1, 5000, 9}, {0, 1000, 1}}, true, "another order"},
           Case{{{0, 1000, 10}}, {{0, 1000, 4}, {4, 1004, 6}}, true, "in pieces"},
           Case{{{0, 1000, 10}}, {{0, 1000, 4}, {4, 1005, 5}, {9, 1004, 1}}, false, "pieces exchanged"},
           Case{{{0, 1000, 10}}, {{0, 1000, 9}}, false, "shorter"},
           Case{{{0, 1000, 10}}, {{0, 1001, 10}}, false, "elsewhere"},
           Case{{{0, 1000, 1}}, {}, false, "none"},
           Case{{}, {}, true, "none on both sides"},
       }) {
    INFO(c.because);
    CHECK(is_same_map(c.one, c.other) == c.same);
    CHECK(is_same_map(c.other, c.one) == c.same);
  }
}

}  // namespace
}  // namespace capsule::ns
