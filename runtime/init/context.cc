#include "runtime/init/context.h"

#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

// Cut at the front if too long: the end of a path tells more.
void put(char* to, size_t capacity, const char* from) {
  size_t size = length(from);
  if (size >= capacity) {
    from += size - (capacity - 1);
    size = capacity - 1;
  }
  copy(to, from, size);
  to[size] = '\0';
}

}  // namespace

bool fail_with(Context& ctx, Problem problem, const char* call, long err, const char* object) {
  protocol::Failure& f = ctx.failure;
  f.frame = {protocol::Line::failed, {}, 0};
  f.step = ctx.step;
  f.err = static_cast<int32_t>(err < 0 ? -err : err);
  f.problem = problem;
  f.kind = ctx.current == nullptr ? uint16_t{0} : static_cast<uint16_t>(ctx.current->kind);
  put(f.field, sizeof(f.field), ctx.current == nullptr ? "" : text(ctx, ctx.current->field));
  put(f.call, sizeof(f.call), call);
  put(f.object, sizeof(f.object), object);
  return false;
}

bool fail(Context& ctx, const char* call, long err, const char* object) {
  return fail_with(ctx, Problem::system_call, call, err, object);
}

long tell(int fd, const void* bytes, size_t size) {
  const long sent = raw::send(fd, bytes, size);
  return sent == -raw::kEPERM || sent == -raw::kENOSYS ? raw::write(fd, bytes, size) : sent;
}

void send_failure(Context& ctx) {
  tell(ctx.reply, &ctx.failure, sizeof(ctx.failure));
}

int host_proc(Context& ctx) {
  if (ctx.host_proc >= 0) return ctx.host_proc;
  const long fd = raw::openat(raw::kAtFdcwd, "/proc", raw::kOPath | raw::kODirectory);
  if (fd < 0) {
    fail(ctx, "openat", fd, "/proc");
    return -1;
  }
  raw::Statfs fs{};
  raw::Stat info{};
  const bool is_procfs = raw::fstatfs(static_cast<int>(fd), &fs) == 0 && fs.f_type == abi::kProcSuperMagic &&
                         raw::fstat(static_cast<int>(fd), &info) == 0 && info.st_ino == abi::kProcRootInode;
  if (!is_procfs) {
    fail_with(ctx, Problem::not_procfs, "fstatfs", 0, "/proc");
    raw::close(static_cast<int>(fd));
    return -1;
  }
  ctx.host_proc = static_cast<int>(fd);
  return ctx.host_proc;
}

}  // namespace capsule::init
