// Documents that several tests start from.
#pragma once

#include <string>
#include <string_view>

#include "spec/read.h"
#include "tests/support/catch.h"

namespace capsule::spec {

// A config.json that fills every field spec.h knows, with values that no default equals. It is also valid.
std::string full_document();

// The smallest config.json that validate() accepts, as a struct.
Spec minimal_spec();

// The message of an error, "" for success: what the table tests compare.
template <class T>
std::string message_of(const Result<T>& result) {
  return result.has_value() ? std::string() : result.error().message();
}

}  // namespace capsule::spec
