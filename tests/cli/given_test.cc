#include "runtime/cli/given.h"

#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

constexpr Option kKnown[] = {
    {"name", 'n', Takes::value, "NAME", "take one"},
    {"each", 'e', Takes::values, "WORD", "take all"},
    {"loud", 'l', Takes::nothing, {}, "a switch"},
};

using Words = std::vector<std::string>;

std::string complaint_of(Given& given) {
  const Status status = given.check("try");
  return status.has_value() ? "" : status.error().message();
}

}  // namespace

TEST_CASE("the last value counts, unless an option may be repeated", "[cli][given]") {
  const Words words{"--name", "a", "--each", "1", "--loud", "--name", "b", "--each", "2", "--loud=false"};
  Given given(kKnown, words);
  std::string name;
  std::vector<std::string> each;
  bool loud = true;
  given.text("name", name).texts("each", each).flag("loud", loud);

  CHECK(name == "b");
  CHECK(each == std::vector<std::string>{"1", "2"});
  CHECK_FALSE(loud);
  CHECK(complaint_of(given).empty());
}

TEST_CASE("what was not given stays as it was", "[cli][given]") {
  const Words words;
  Given given(kKnown, words);
  std::string name = "before";
  bool loud = true;
  std::optional<bool> told;
  given.text("name", name).flag("loud", loud).flag("loud", told);

  CHECK(name == "before");
  CHECK(loud);
  CHECK_FALSE(told.has_value());
  CHECK(complaint_of(given).empty());
}

TEST_CASE("an option that the catalogue knows and nobody takes is refused, not ignored", "[cli][given]") {
  const Words words{"--loud=true"};
  Given given(kKnown, words);
  std::string name;
  given.text("name", name);

  CHECK(complaint_of(given) == "flag provided but not defined: --loud=true; see capsule try --help");
}

TEST_CASE("a missing value is complained about first, then a wrong one, then an unknown option",
          "[cli][given]") {
  struct Case {
    Words words;
    std::string_view complaint;
  };
  const Case cases[] = {
      {{"--frob", "--loud=maybe", "--name"}, "flag needs an argument: --name"},
      {{"--frob", "--loud=maybe"}, "invalid boolean value \"maybe\" for --loud"},
      {{"--loud=", "--frob"}, "invalid boolean value \"\" for --loud"},
      {{"--loud", "--frob"}, "flag provided but not defined: --frob; see capsule try --help"},
  };
  for (const Case& c : cases) {
    Given given(kKnown, c.words);
    std::string name;
    bool loud = false;
    given.text("name", name).flag("loud", loud);
    INFO(c.complaint);
    CHECK(complaint_of(given) == c.complaint);
  }
}
