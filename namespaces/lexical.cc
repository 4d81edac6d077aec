#include "namespaces/lexical.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace capsule::ns {

std::string clean_path(std::string_view path) {
  std::string clean;
  clean.reserve(path.size() + 1);
  while (!path.empty()) {
    const std::size_t size = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, size);
    path.remove_prefix(std::min(size + 1, path.size()));
    if (part == "..") {
      clean.resize(clean.empty() ? 0 : clean.rfind('/'));
    } else if (!part.empty() && part != ".") {
      clean.append("/").append(part);
    }
  }
  return clean.empty() ? "/" : clean;
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path != "/";
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

std::string path_on_host(std::string_view path, std::string_view bundle) {
  if (path.starts_with('/')) return std::string(path);
  return cat({bundle, "/", path});
}

std::string item_pointer(std::string_view list, std::size_t index) {
  return cat({list, "/", std::to_string(index)});
}

std::string member_pointer(std::string_view object, std::string_view name) {
  std::string pointer = cat({object, "/"});
  for (const char c : name) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

bool contains_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

bool has_namespace(const spec::Spec& spec, spec::NamespaceType type) {
  const std::vector<spec::Namespace>& listed = linux_of(spec).namespaces;
  return std::any_of(listed.begin(), listed.end(),
                     [type](const spec::Namespace& n) { return n.type == type; });
}

bool has_new_namespace(const spec::Spec& spec, spec::NamespaceType type) {
  const std::vector<spec::Namespace>& listed = linux_of(spec).namespaces;
  return std::any_of(listed.begin(), listed.end(), [type](const spec::Namespace& n) {
    return n.type == type && n.path.value_or("").empty();
  });
}

}  // namespace capsule::ns
