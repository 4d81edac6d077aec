// Tables of names: config.json's spelling beside the kernel's number.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fixed_text.h"

namespace capsule::process {

template <class Value>
struct Named {
  FixedText<39> name;
  Value value;
};

// The entry of that exact name, or nullptr.
template <class Value, std::size_t N>
constexpr const Named<Value>* find_named(const std::array<Named<Value>, N>& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [name](const Named<Value>& e) { return e.name == name; });
  return found == table.end() ? nullptr : &*found;
}

template <class Value, std::size_t N>
std::vector<std::string> names_of(const std::array<Named<Value>, N>& table) {
  std::vector<std::string> names;
  names.reserve(N);
  for (const Named<Value>& entry : table)
    names.emplace_back(entry.name.view());
  return names;
}

}  // namespace capsule::process
