// Helpers to build a JSON document member by member, in the order the Go types of the specification print it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/json.h"
#include "spec/spec.h"

namespace capsule::spec {

using Json = nlohmann::ordered_json;

enum class Layout : unsigned char { one_line, two_spaces, four_spaces, tabs };

// The document as text with a newline at its end. Bytes that are not UTF-8 (a path may have them) become
// U+FFFD, as Go prints them.
std::string to_text(const Json& json, Layout layout);

inline bool is_absent(const std::string& value) {
  return value.empty();
}
inline bool is_absent(bool value) {
  return !value;
}
template <class T>
bool is_absent(const std::optional<T>& value) {
  return !value.has_value();
}
template <class T>
bool is_absent(const std::vector<T>& values) {
  return values.empty();
}
template <class K, class T>
bool is_absent(const std::map<K, T>& values) {
  return values.empty();
}

inline const std::string& unwrap(const std::string& value) {
  return value;
}
inline bool unwrap(bool value) {
  return value;
}
template <class T>
const T& unwrap(const std::optional<T>& value) {
  return *value;
}
template <class T>
const std::vector<T>& unwrap(const std::vector<T>& values) {
  return values;
}
template <class K, class T>
const std::map<K, T>& unwrap(const std::map<K, T>& values) {
  return values;
}

// Adds a member unless it is absent.
template <class T>
void put(Json& object, const char* key, const T& value) {
  if (!is_absent(value)) object.push_back({key, unwrap(value)});
}

// The same for members that are objects, arrays or maps of objects: `to_json` makes the JSON of one.
//   value   a std::optional or a Boxed
template <class Optional, class T>
void put_object(Json& object, const char* key, const Optional& value, Json (*to_json)(const T&)) {
  if (value.has_value()) object.push_back({key, to_json(*value)});
}
template <class T>
void put_objects(Json& object, const char* key, const std::vector<T>& values, Json (*to_json)(const T&)) {
  if (values.empty()) return;
  Json array = Json::array();
  for (const T& value : values)
    array.push_back(to_json(value));
  object.push_back({key, std::move(array)});
}
template <class T>
void put_object_map(Json& object,
                    const char* key,
                    const std::map<std::string, T>& values,
                    Json (*to_json)(const T&)) {
  if (values.empty()) return;
  Json map = Json::object();
  for (const auto& [name, value] : values)
    map.push_back({name, to_json(value)});
  object.push_back({key, std::move(map)});
}

// Parts of config.json that have a file of their own.
Json json_of_process(const Process& process);             // write_process.cc
Json json_of_id_mapping(const IdMapping& mapping);        // write_linux.cc
Json json_of_linux(const Linux& linux_part);              // write_linux.cc
Json json_of_resources(const LinuxResources& resources);  // write_resources.cc

}  // namespace capsule::spec
