// Why a text is no JSON, in words. Slow, and only for texts that have been refused already.
#pragma once

#include <string>
#include <string_view>

namespace capsule::spec {

// "is not valid JSON at line 2, column 6, near \"tru}\"".
std::string describe_syntax_error(std::string_view bytes);

}  // namespace capsule::spec
