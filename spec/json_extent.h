// Where a value stands in the text of a JSON document, for who wants to leave it out.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace capsule::spec {

// The text of the member that `path` leads to, from object to object.
//   json      what JsonTree::parse takes
//   returns   a part of `json`; empty: not there, or its way leads through a key written with escapes
std::string_view find_value(std::string_view json, std::initializer_list<std::string_view> path);

// config.json with no rules in its seccomp profile, which make up most of it, for who has them compiled.
std::string without_seccomp_rules(std::string_view config);

}  // namespace capsule::spec
