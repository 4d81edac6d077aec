// The options that were given, taken one after the other into the members of a struct.
//
// Reading never stops: the first complaint is kept, and check() makes it. Options that nobody takes are
// unknown, so what the catalogue lists and nothing reads is refused instead of being ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cli/catalogue.h"

namespace capsule::cli {

class Given {
 public:
  // `words` are canonical, as in Arguments, and must outlive the object.
  Given(std::span<const Option> known, const std::vector<std::string>& words);

  // Calls `parse` with the value that counts: the last one, or each for an option that may be repeated.
  template <class Parse>
  Given& read(std::string_view name, Parse parse) {
    for (const std::string_view value : take(name))
      keep(parse(value));
    return *this;
  }
  template <class Target, class Parse>
  Given& value(std::string_view name, Target& target, Parse parse) {
    return read(name, [&target, parse](std::string_view text) -> Status {
      target = TRY(parse(text));
      return {};
    });
  }
  Given& text(std::string_view name, std::string& target);
  Given& texts(std::string_view name, std::vector<std::string>& target);
  Given& number(std::string_view name, std::uint32_t& target);
  Given& flag(std::string_view name, bool& target);
  Given& flag(std::string_view name, std::optional<bool>& target);
  // Accepted, without a meaning for this command.
  Given& ignored_flag(std::string_view name);

  // When all has been taken: the first complaint there is. `command` is empty for global options.
  Status check(std::string_view command);

 private:
  struct Entry {
    std::string_view word;   // as it stands on the command line
    std::string_view value;  // of a switch: "true" unless it was told what it is
    const Option* option;    // nullptr: not in the catalogue
    bool taken = false;
  };

  std::vector<std::string_view> take(std::string_view name);
  void keep(Status status);

  std::vector<Entry> entries_;
  std::optional<Error> error_;
};

}  // namespace capsule::cli
