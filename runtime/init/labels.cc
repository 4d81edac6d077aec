// What security modules are told about the process, in its own directory of the host's procfs.
//
// Written through the container's /proc the announcement could end anywhere, and the program would run
// unconfined without anybody noticing (CVE-2019-16884, CVE-2025-52881). The procfs used is the host's, opened
// and checked before the container could touch anything, and the file itself is checked once more (R5).
#include "runtime/init/context.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

// -1: ctx.failure says why.
int open_own(Context& ctx, const char* file) {
  const int proc = host_proc(ctx);
  if (proc < 0) return -1;
  Line<128> path;
  path.add("thread-self/").add(file);
  const long fd = path.whole() ? raw::openat(proc, path.c_str(), raw::kOWronly) : -raw::kENAMETOOLONG;
  if (fd < 0) {
    fail(ctx, file, fd, "");
    return -1;
  }
  raw::Statfs fs{};
  if (raw::fstatfs(static_cast<int>(fd), &fs) == 0 && fs.f_type == abi::kProcSuperMagic)
    return static_cast<int>(fd);
  fail_with(ctx, Problem::not_procfs, "fstatfs", 0, file);
  raw::close(static_cast<int>(fd));
  return -1;
}

}  // namespace

bool perform(Context& ctx, const plan::SecurityLabel& s) {
  const char* file = text(ctx, s.file);
  const int fd = open_own(ctx, file);
  if (fd < 0) return false;
  const long wrote = raw::write(fd, text(ctx, s.text), s.text.size);
  raw::close(fd);
  return wrote < 0 ? fail(ctx, file, wrote, text(ctx, s.text)) : true;
}

}  // namespace capsule::init
