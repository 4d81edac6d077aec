// Bind mounts: what is cloned on the host, by whom, and with which attributes and id maps.
#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// What a clone inherits of its source's propagation is the host's business; ours is what rootfsPropagation
// says, unless the mount itself says otherwise for the whole tree. A single mount needs no recursive half,
// which saves a system call.
plan::MountAttributes of_clone(const MountContext& context,
                               const plan::MountAttributes& asked,
                               bool recursive) {
  plan::MountAttributes a = asked;
  if (a.recursive_propagation == 0) a.recursive_propagation = context.bind_propagation;
  if (recursive) return a;

  const std::uint64_t set_below = a.recursive_set & ~(a.set | a.clear);
  const std::uint64_t cleared_below = a.recursive_clear & ~a.set;
  const std::uint64_t propagation = a.propagation != 0 ? a.propagation : a.recursive_propagation;
  return {.set = a.set | set_below, .clear = a.clear | cleared_below, .propagation = propagation};
}

std::uint32_t source_flags(const MountOptions& options) {
  std::uint32_t flags = 0;
  if (options.recursive) flags |= plan::kMountRecursive;
  if (options.source_nofollow || options.copy_symlink) flags |= plan::kMountSourceNofollow;
  if (options.copy_symlink) flags |= plan::kMountCopySymlink;
  return flags;
}

// Who has left the host's tree can clone nothing of it.
Status check_reach(const MountContext& context, const MountRequest& request) {
  if (!context.host.joins || context.host.privileged) return {};
  return Error::unsupported(
      cat({request.pointer, ": a bind mount cannot be added to a rootless container that lives"}));
}

}  // namespace

Status add_bind(const MountContext& context,
                const MountRequest& request,
                BindSource source,
                plan::Builder& builder) {
  TRY(check_reach(context, request));
  const bool recursive = (source.flags & plan::kMountRecursive) != 0;
  plan::Bind step{.flags = source.flags | plan::kMountIsBind};
  step.attributes = of_clone(context, source.attributes, recursive);
  step.target = builder.text(request.target);
  step.source = builder.text(source.path);
  if (context.host.privileged) {
    step.slot = builder.donate({.kind = plan::Donation::Kind::bind_source,
                                .recursive = recursive,
                                .nofollow = (source.flags & plan::kMountSourceNofollow) != 0,
                                .source = std::move(source.path),
                                .field = request.pointer,
                                .attributes = step.attributes,
                                .uid_map = std::move(source.maps.uids),
                                .gid_map = std::move(source.maps.gids),
                                .recursive_idmap = source.maps.recursive});
  }
  builder.add(request.pointer, step);
  return {};
}

Status refuse_bind_data(const MountRequest& request) {
  const std::vector<MountOptions::Data>& data = request.options.data;
  if (data.empty()) return {};
  return Error::invalid_config(item_pointer(request.pointer + "/options", data[0].index),
                               "bind mounts cannot have any filesystem-specific options applied");
}

Status plan_bind(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  const MountOptions& options = request.options;
  TRY(refuse_bind_data(request));
  const std::string source = request.mount.source.value_or("");
  if (source.empty()) return Error::invalid_config(request.pointer + "/source", "is needed for a bind mount");

  const std::uint32_t flags = TRY(target_flags(request)) | source_flags(options);
  IdMaps maps = TRY(plan_id_maps(context, request));
  BindSource bind{.path = path_on_host(source, context.host.bundle),
                  .flags = flags,
                  .attributes = options.attributes,
                  .maps = std::move(maps)};
  return add_bind(context, request, std::move(bind), builder);
}

}  // namespace capsule::ns
