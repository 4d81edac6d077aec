// A command line in one string, as one would type it: words between single spaces; '' is an empty word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/cli/arguments.h"

namespace capsule::cli {

inline std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (const std::string_view word : split(line, ' '))
    words.emplace_back(word == "''" ? std::string_view() : word);
  return words;
}

inline Arguments arguments_of(std::string_view line) {
  return split_arguments(words_of(line));
}

}  // namespace capsule::cli
