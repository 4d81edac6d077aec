// The names and texts of errno(3), as users and engines look for them.
#pragma once

#include <string>

namespace capsule {

// "no such file or directory (ENOENT)"; "errno 70000" for a number that has no name.
//
// A table of our own, because the texts are part of what engines match and must not depend on the C library
// that the binary was linked with.
std::string describe_errno(int err);

}  // namespace capsule
