#include "runtime/cli/given.h"

#include <algorithm>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/cli/values.h"

namespace capsule::cli {
namespace {

// "--name" and "--name=value" to "name"; empty for what is no long option.
std::string_view name_of(std::string_view word) {
  if (word.substr(0, 2) != "--") return {};
  return word.substr(2, word.find('=') - 2);
}

std::string_view value_of_switch(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals == std::string_view::npos ? "true" : word.substr(equals + 1);
}

bool is_global_option(std::string_view word) {
  const std::string_view name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
  return name.size() > 1 && find_option(global_options(), name.substr(0, name.find('='))) != nullptr;
}

Error unknown_option(std::string_view word, std::string_view command) {
  const std::string_view space = command.empty() ? "" : " ";
  const std::string hint = !command.empty() && is_global_option(word)
                               ? "a global option stands before the command"
                               : cat({"see capsule", space, command, " --help"});
  return Error::unsupported(cat({"flag provided but not defined: ", word, "; ", hint}));
}

}  // namespace

Given::Given(std::span<const Option> known, const std::vector<std::string>& words) {
  for (auto word = words.begin(); word != words.end(); ++word) {
    const Option* option = find_option(known, name_of(*word));
    if (option == nullptr || option->takes == Takes::nothing) {
      entries_.push_back({*word, value_of_switch(*word), option});
    } else if (word + 1 != words.end()) {
      entries_.push_back({*word, *(word + 1), option});
      ++word;
    } else {
      error_ = Error::unsupported(cat({"flag needs an argument: ", *word}));
      return;
    }
  }
}

std::vector<std::string_view> Given::take(std::string_view name) {
  std::vector<std::string_view> values;
  for (Entry& entry : entries_) {
    if (entry.option == nullptr || entry.option->name != name) continue;
    if (entry.option->takes != Takes::values) values.clear();
    values.push_back(entry.value);
    entry.taken = true;
  }
  return values;
}

void Given::keep(Status status) {
  if (!status.has_value() && !error_) error_ = std::move(status).error();
}

Given& Given::text(std::string_view name, std::string& target) {
  for (const std::string_view value : take(name))
    target = value;
  return *this;
}

Given& Given::texts(std::string_view name, std::vector<std::string>& target) {
  for (const std::string_view value : take(name))
    target.emplace_back(value);
  return *this;
}

Given& Given::number(std::string_view name, std::uint32_t& target) {
  return read(name, [name, &target](std::string_view value) -> Status {
    target = TRY(parse_number(cat({"--", name}), value));
    return {};
  });
}

Given& Given::flag(std::string_view name, std::optional<bool>& target) {
  return read(name, [name, &target](std::string_view value) -> Status {
    target = TRY(parse_switch(cat({"--", name}), value));
    return {};
  });
}

Given& Given::flag(std::string_view name, bool& target) {
  std::optional<bool> value = target;
  flag(name, value);
  target = *value;
  return *this;
}

Given& Given::ignored_flag(std::string_view name) {
  bool ignored = false;
  return flag(name, ignored);
}

Status Given::check(std::string_view command) {
  if (error_) return std::move(*error_);
  const auto unknown =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.taken; });
  if (unknown != entries_.end()) return unknown_option(unknown->word, command);
  return {};
}

}  // namespace capsule::cli
