#include "runtime/cli/commands.h"

#include "runtime/base/text.h"
#include "runtime/cli/version.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

TEST_CASE("every command in the catalogue has a function, and nothing else has", "[cli][commands]") {
  for (const Command& command : commands()) {
    INFO(command.name.view());
    CHECK(find_run(command.name) != nullptr);
  }
  for (const std::string_view name : {"", "frob", "checkpoint", "init", "Create"}) {
    INFO(name);
    CHECK(find_run(name) == nullptr);
  }
}

TEST_CASE("the version is told in the lines engines parse", "[cli][version]") {
  const std::string text = describe_version();
  const std::vector<std::string_view> lines = split(text, '\n');

  REQUIRE(lines.size() == 6);
  CHECK(lines[0] == cat({"capsule version ", version()}));
  CHECK(lines[1] == cat({"commit: ", commit()}));
  CHECK(lines[2] == "spec: 1.3.0");
  CHECK(lines[3].substr(0, 12) == "libseccomp: ");
  CHECK(lines[4].substr(0, 1) == "+");
  CHECK(text.find("version", 10) == std::string::npos);
}

TEST_CASE("a root that becomes / is refused, and any other is made absolute", "[cli][commands]") {
  Globals globals;
  globals.root = "/some/../where";
  CHECK(open_store(globals).value().root().substr(0, 1) == "/");

  globals.root = "//";
  CHECK_FALSE(open_store(globals).has_value());
}
