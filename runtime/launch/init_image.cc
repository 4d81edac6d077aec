#include "runtime/launch/init_image.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "runtime/base/kernel_abi.h"
#include "runtime/base/sys.h"
#include "runtime/container/container.h"

extern "C" {
extern const char capsule_init_begin[];
extern const char capsule_init_end[];
}

namespace capsule::launch {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<UniqueFd> make_sealed(const char* name, unsigned flags, std::span<const char> bytes) {
  Result<UniqueFd> memfd = sys::memfd_create(name, MFD_ALLOW_SEALING | flags);
  // Kernels before 6.3 do not know MFD_EXEC and MFD_NOEXEC_SEAL; every memfd was executable there.
  if (!memfd.has_value() && memfd.error().code() == EINVAL)
    memfd = sys::memfd_create(name, MFD_ALLOW_SEALING);
  UniqueFd file = TRY(std::move(memfd));
  TRY(sys::write_all(file, {bytes.data(), bytes.size()}).context("memfd ", name));
  TRY(sys::add_seals(file, kSeals));
  return file;
}

}  // namespace

std::span<const char> init_image() {
  return {capsule_init_begin, capsule_init_end};
}

Result<UniqueFd> make_init_memfd() {
  UniqueFd memfd = TRY(make_sealed(container::kInitName, MFD_EXEC, init_image()));
  // Executable but not readable: then the kernel lets init's memory belong to the host's user namespace, and
  // not even the container's root may ptrace it (would_dump in fs/exec.c, R8).
  TRY(sys::fchmod(memfd, 0111));
  return memfd;
}

Result<UniqueFd> make_plan_memfd(std::span<const char> image) {
  return make_sealed("capsule-plan", 0, image);
}

}  // namespace capsule::launch
