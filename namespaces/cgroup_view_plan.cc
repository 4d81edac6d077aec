// Mounts of type "cgroup": what the container sees of the cgroup tree. The word is from cgroup v1; engines
// use it for v2 as well.
#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

// Without a cgroup namespace the whole hierarchy of the host is in sight: to be read, whatever the options
// say (CVE-2023-25809, R13).
Status plan_host_hierarchy(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  const std::uint32_t flags = TRY(target_flags(request));
  BindSource source{.path = context.host.cgroup_mount,
                    .flags = flags | plan::kMountRecursive,
                    .attributes = request.options.attributes};
  source.attributes.clear &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  source.attributes.recursive_clear &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  source.attributes.recursive_set |= MOUNT_ATTR_RDONLY;
  return add_bind(context, request, std::move(source), builder);
}

// A cgroup namespace is rooted at the container's own cgroup. Where the kernel refuses the mount (the
// namespace is not owned by our user namespace), a bind of that cgroup shows the same.
Status plan_own_cgroup(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  plan::MountFilesystem step{.flags = TRY(target_flags(request)), .attributes = request.options.attributes};
  step.target = builder.text(request.target);
  step.type = builder.text("cgroup2");
  step.source = builder.text("cgroup");
  if (!context.host.cgroup_path.empty() && !context.host.joins) {
    step.flags |= plan::kMountFallbackBind;
    step.fallback_source = builder.text(cat({context.host.cgroup_mount, context.host.cgroup_path}));
  }
  builder.add(request.pointer, step);
  return {};
}

}  // namespace

// Data options are dropped: those of v1 (controller names) mean nothing to v2, and those of v2 (nsdelegate)
// only count in the first namespace.
Status plan_cgroup_view(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  if (context.host.cgroup_mount.empty()) {
    return Error::unsupported(cat({request.pointer, ": this host has no cgroup2 file system to mount"}));
  }
  (void)TRY(plan_id_maps(context, request));  // refuses: no view can have them
  if (has_namespace(context.spec, spec::NamespaceType::cgroup))
    return plan_own_cgroup(context, request, builder);
  return plan_host_hierarchy(context, request, builder);
}

}  // namespace capsule::ns
