#include "spec/json_extent.h"

#include <algorithm>

#include "spec/json_text.h"

namespace capsule::spec {
namespace {

// Goes over values without looking at what they are: the text is known to be JSON.
class Scanner {
 public:
  explicit Scanner(std::string_view json) : rest_(json) { skip_space(); }

  // Of equal keys the last one counts, as everywhere. Empty: not an object, or without that member.
  std::string_view find(std::string_view key) {
    std::string_view found;
    if (!take('{')) return found;
    while (!rest_.empty() && rest_.front() == '"') {
      const std::string_view name = take_string();
      skip_space();
      (void)take(':');
      const std::string_view value = take_value();
      if (name == key) found = value;
      (void)take(',');
    }
    return found;
  }

 private:
  void skip_space() {
    const std::size_t first = rest_.find_first_not_of(" \n\t\r");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }

  // What stands between its marks.
  std::string_view take_string() {
    rest_.remove_prefix(1);
    const std::string_view text = rest_.substr(0, scan_string(rest_).size);
    rest_.remove_prefix(text.size() + 1);
    return text;
  }

  std::string_view take_value() {
    const std::string_view begin = rest_;
    std::size_t depth = 0;
    do {
      depth = skip_token(depth);
    } while (depth > 0 && !rest_.empty());
    const std::string_view value = begin.substr(0, begin.size() - rest_.size());
    skip_space();
    return value;
  }

  // A string, a mark, or a stretch without any.
  std::size_t skip_token(std::size_t depth) {
    const char first = rest_.front();
    if (first == '"') {
      (void)take_string();
      return depth;
    }
    if (first == '{' || first == '[') ++depth;
    if (first == '}' || first == ']') --depth;
    const bool is_mark = first == '{' || first == '[' || first == '}' || first == ']';
    const std::size_t end = rest_.find_first_of(depth > 0 ? "\"{}[]" : "\"{}[], \n\t\r", 1);
    rest_.remove_prefix(is_mark && depth == 0 ? 1 : std::min(end, rest_.size()));
    return depth;
  }

  std::string_view rest_;
};

}  // namespace

std::string_view find_value(std::string_view json, std::initializer_list<std::string_view> path) {
  std::string_view value = json;
  for (const std::string_view key : path)
    value = Scanner(value).find(key);
  return value;
}

std::string without_seccomp_rules(std::string_view config) {
  const std::string_view rules = find_value(config, {"linux", "seccomp", "syscalls"});
  std::string rest(config);
  if (!rules.empty())
    rest.replace(static_cast<std::size_t>(rules.data() - config.data()), rules.size(), "[]");
  return rest;
}

}  // namespace capsule::spec
