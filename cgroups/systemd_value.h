// Values of unit properties, as D-Bus knows them: a type, and what it holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"

namespace capsule::cgroups {

// One complete type of the D-Bus specification (section "Type System"), without variants and dictionaries.
struct BusValue {
  std::string signature;        // "t", "s", "ay", "a(st)"
  std::uint64_t number = 0;     // y n q i u x t, as two's complement; b: 0 or 1
  std::string text;             // s o g, and d as it was written
  std::vector<BusValue> items;  // arrays and structs

  static BusValue of_number(std::uint64_t number) { return {.signature = "t", .number = number}; }
  static BusValue of_bool(bool value) { return {.signature = "b", .number = value ? 1U : 0U}; }
  static BusValue of_text(std::string text) { return {.signature = "s", .text = std::move(text)}; }
  static BusValue of_bytes(std::string_view bytes);  // "ay"
  static BusValue of_struct(std::vector<BusValue> items);
  // `item_signature` since an array may be empty.
  static BusValue of_array(std::string_view item_signature, std::vector<BusValue> items);
};

BusValue pids_of(const std::vector<std::int32_t>& pids);  // "au", as the property PIDs wants them

struct UnitProperty {
  std::string name;  // "MemoryMax"
  BusValue value;
};

// As GVariant text on one line, with types: "uint64 5", "'a'", "[('/dev/null', 'rwm')]". What it says is what
// parse_gvariant() reads from it.
std::string describe(const BusValue& value);

// GVariant text: true, 5, 1.5, uint64 5, 'text', ['a', 'b'], ('a', 1), b'bytes', @as [].
//   fails   unsupported, saying at which byte and why; dictionaries, variants and maybes are not taken
//   source  GLib's "GVariant Text Format"
Result<BusValue> parse_gvariant(std::string_view text);

}  // namespace capsule::cgroups
