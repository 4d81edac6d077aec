// Names that the reader, the writer and the checks share.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "spec/spec.h"

namespace capsule::spec {

std::optional<NamespaceType> parse_namespace_type(std::string_view name);
std::string_view name_of(NamespaceType type);  // "network"

//   names   an array of texts
template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace capsule::spec
