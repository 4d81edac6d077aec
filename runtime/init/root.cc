// The container's root: prepared, entered, and the host's tree dropped.
#include "runtime/init/context.h"
#include "runtime/init/path.h"

namespace capsule::init {
namespace {

constexpr int kMntDetach = 2;

// O_PATH descriptor of the root as a detached mount tree.
long take_tree(const Context& ctx, const plan::PrepareRoot& s) {
  if (s.slot != plan::kNoSlot) return ctx.plan.descriptor(s.slot);
  return raw::open_tree(raw::kAtFdcwd, text(ctx, s.source), OPEN_TREE_CLONE | AT_RECURSIVE);
}

bool set_host_propagation(Context& ctx, uint64_t propagation) {
  const mount_attr attr{0, 0, propagation, 0};
  const long set = raw::mount_setattr(raw::kAtFdcwd, "/", AT_RECURSIVE, attr);
  return set < 0 ? fail(ctx, "mount_setattr", set, "/") : true;
}

bool enter(Context& ctx, int root) {
  long done = raw::fchdir(root);
  if (done < 0) return fail(ctx, "fchdir", done, "rootfs");
  done = raw::chroot(".");
  if (done < 0) return fail(ctx, "chroot", done, "rootfs");
  done = raw::chdir("/");
  return done < 0 ? fail(ctx, "chdir", done, "/") : true;
}

bool pivot(Context& ctx) {
  long done = raw::fchdir(ctx.root);
  if (done < 0) return fail(ctx, "fchdir", done, "rootfs");
  // The same directory twice: the old root ends up mounted over the new one, and one unmount drops it
  // (pivot_root(2), NOTES). Roots that were covered lie on top of it, each a mount of its own.
  done = raw::pivot_root(".", ".");
  if (done < 0) return fail(ctx, "pivot_root", done, "rootfs");
  for (unsigned left = ctx.covered_roots + 1; left > 0 && done == 0; --left)
    done = raw::umount2(".", kMntDetach);
  if (done < 0) return fail(ctx, "umount2", done, "old root");
  done = raw::chdir("/");
  return done < 0 ? fail(ctx, "chdir", done, "/") : true;
}

void forget_host(Context& ctx) {
  // No descriptor of a host directory survives the pivot (CVE-2024-21626, R3), even though all of them are
  // O_CLOEXEC.
  int* const descriptors[] = {&ctx.host_proc,   &ctx.null, &ctx.mask_tmpfs,
                              &ctx.tmpfs.mount, &ctx.dev,  &ctx.root};
  for (int* fd : descriptors) {
    if (*fd >= 0) raw::close(*fd);
    *fd = -1;
  }
}

}  // namespace

bool perform(Context& ctx, const plan::PrepareRoot& s) {
  ctx.root_mode = s.mode;
  if (s.mode == plan::RootMode::plain) {
    const long root = raw::openat(raw::kAtFdcwd, text(ctx, s.source), raw::kOPath | raw::kODirectory);
    ctx.root = static_cast<int>(root);
    return root < 0 ? fail(ctx, "openat", root, text(ctx, s.source)) : true;
  }

  // First the inherited tree: what is mounted from here on must not show up on the host (R26: only ever in a
  // mount namespace of our own).
  if (!set_host_propagation(ctx, s.host_propagation)) return false;
  const long tree = take_tree(ctx, s);
  if (tree < 0) return fail(ctx, "open_tree", tree, text(ctx, s.source));
  ctx.root = static_cast<int>(tree);

  // Over "/", not over its own path: no directory on the way there has to be searchable for us.
  const long moved = raw::move_mount(ctx.root, "", raw::kAtFdcwd, "/", MOVE_MOUNT_F_EMPTY_PATH);
  if (moved < 0) return fail(ctx, "move_mount", moved, text(ctx, s.source));
  if (s.root_propagation == 0 || s.slot != plan::kNoSlot) return true;  // a donated one has it already
  const plan::MountAttributes attributes{.recursive_propagation = s.root_propagation};
  return set_attributes(ctx, ctx.root, attributes, "/");
}

bool perform(Context& ctx, const plan::Pivot&) {
  const bool entered = ctx.root_mode == plan::RootMode::pivot ? pivot(ctx) : enter(ctx, ctx.root);
  forget_host(ctx);
  return entered;
}

bool perform(Context& ctx, const plan::EnterRoot& s) {
  return enter(ctx, ctx.plan.descriptor(s.slot));
}

bool perform(Context& ctx, const plan::OpenRoot& s) {
  ctx.root = ctx.plan.descriptor(static_cast<uint16_t>(s.slot));
  return true;
}

bool perform(Context& ctx, const plan::MakeCwd& s) {
  const int dir = make_directories(ctx, text(ctx, s.target));
  if (dir >= 0) raw::close(dir);
  return dir >= 0;
}

}  // namespace capsule::init
