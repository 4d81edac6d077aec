#include "runtime/base/fd.h"

#include <unistd.h>

namespace capsule {

void UniqueFd::reset() noexcept {
  if (fd_ >= 0)
    (void)::close(fd_);  // nothing a caller could do about EIO here; files that matter are fsynced or renamed
  fd_ = -1;
}

}  // namespace capsule
