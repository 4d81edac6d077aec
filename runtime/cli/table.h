// Columns of text, spaced as runc's `list` spaces them: scripts cut them at the same places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capsule::cli {

// Every column is as wide as its widest cell plus 3, at least 12; the last one is not padded.
std::string describe_table(const std::vector<std::vector<std::string>>& rows);

// The name of a user in the text of /etc/passwd (passwd(5)), or "#uid". Read here and not with getpwuid(3),
// which a static binary cannot call without loading the host's shared libraries.
std::string owner_name(std::string_view passwd, std::uint32_t uid);

}  // namespace capsule::cli
