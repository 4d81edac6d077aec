// How the tests about `linux` spoil a valid document, and what they expect then.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "spec/validate.h"
#include "tests/spec/documents.h"

namespace capsule::spec {

struct BadLinux {
  std::function<void(Linux&)> spoil;
  const char* message;
  const char* because;
};

inline std::string message_with(const std::function<void(Linux&)>& change) {
  Spec spec = minimal_spec();
  change(*spec.linux);
  return message_of(validate(spec));
}

inline void check_all(const std::vector<BadLinux>& table) {
  for (const BadLinux& bad : table) {
    INFO(bad.because);
    CHECK(message_with(bad.spoil) == bad.message);
  }
}

inline void add(Linux& linux_part, NamespaceType type, std::optional<std::string> path = std::nullopt) {
  linux_part.namespaces.push_back({type, std::move(path)});
}

inline void map_ids(Linux& linux_part) {
  add(linux_part, NamespaceType::user);
  linux_part.uid_mappings = linux_part.gid_mappings = {{0, 100000, 10}};
}

}  // namespace capsule::spec
