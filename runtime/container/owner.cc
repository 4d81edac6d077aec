#include "runtime/container/owner.h"

#include "runtime/base/text.h"

namespace capsule::container {

std::optional<std::string> find_user_name(std::string_view passwd, uid_t uid) {
  for (const std::string_view line : split(passwd, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    constexpr std::size_t kName = 0;
    constexpr std::size_t kUid = 2;
    if (fields.size() > kUid && parse_integer<uid_t>(fields[kUid]) == uid) return std::string(fields[kName]);
  }
  return std::nullopt;
}

}  // namespace capsule::container
