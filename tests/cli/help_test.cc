#include "runtime/cli/help.h"

#include "runtime/base/text.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

bool contains(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("help begins with NAME on every level", "[cli][help]") {
  CHECK(describe_program("/run/capsule").substr(0, 6) == "NAME:\n");
  for (const Command& command : commands())
    CHECK(describe_command(command).substr(0, 6) == "NAME:\n");
}

TEST_CASE("the overview lists every command that is not hidden, and the default root", "[cli][help]") {
  const std::string text = describe_program("/run/somewhere");

  for (const Command& command : commands()) {
    INFO(command.name.view());
    CHECK(contains(text, cat({"   ", command.name, " "})) != command.hidden);
  }
  CHECK(contains(text, "(default: /run/somewhere)"));
}

TEST_CASE("a command's help shows its options with their letters and values", "[cli][help]") {
  const std::string text = describe_command(*find_command("create"));

  CHECK(contains(text, "capsule [global options] create [options] <container-id>\n"));
  CHECK(contains(text, "   --bundle, -b DIR "));
  CHECK(contains(text, "   --help, -h "));
  CHECK_FALSE(contains(text, "--no-subreaper"));
}
