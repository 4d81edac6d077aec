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

}  // namespace
}  // namespace capsule::ns
