// JSON pointers (RFC 6901) as text: how an error names the place in config.json that it is about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace capsule::spec {

// `text` with control characters as \xNN: values and names are chosen by whoever wrote the document, and end
// up on a terminal. Without quotes, unlike quoted(), where runc's words have none.
std::string printable(std::string_view text);

// One reference token, ready to follow a '/': printable, with '~' and '/' escaped as RFC 6901 says.
std::string escape_token(std::string_view token);

// pointer_to("/mounts", 3, "destination") is "/mounts/3/destination"; without `member`, "/mounts/3".
std::string pointer_to(std::string_view list, std::size_t index, std::string_view member = {});

// pointer_to("/annotations", "a/b") is "/annotations/a~1b".
std::string pointer_to(std::string_view object, std::string_view key);

}  // namespace capsule::spec
