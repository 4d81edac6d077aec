// Paths and JSON pointers as text: nothing is looked up, so a symlink is never followed here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "spec/spec.h"

namespace capsule::ns {

// The path as seen from "/": absolute, without ".", ".." and doubled slashes.
// "a//b/./c/.." -> "/a/b"; "" -> "/".
std::string clean_path(std::string_view path);

// True for what lies below the directory, and not for the directory itself; both are clean.
bool is_below(std::string_view path, std::string_view directory);

// Absolute as it is, otherwise below the bundle (config.md#mounts, config.md#root).
std::string path_on_host(std::string_view path, std::string_view bundle);

// "/mounts" and 3 -> "/mounts/3".
std::string item_pointer(std::string_view list, std::size_t index);
// RFC 6901: "net/ipv4/ip_forward" below "/linux/sysctl" -> "/linux/sysctl/net~1ipv4~1ip_forward".
std::string member_pointer(std::string_view object, std::string_view name);

bool contains_nul(std::string_view text);

// True if /linux/namespaces lists the type, new or joined.
bool has_namespace(const spec::Spec& spec, spec::NamespaceType type);
// True if it is listed without a path.
bool has_new_namespace(const spec::Spec& spec, spec::NamespaceType type);

}  // namespace capsule::ns
