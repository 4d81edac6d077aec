// The root itself, and what is done to paths in it after the last mount: read-only, masked, the working
// directory.
#include <set>

#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "namespaces/propagation.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

Status check_root_mode(const spec::Spec& spec, plan::RootMode mode, const Propagation& propagation) {
  // With chroot the host's tree stays mounted below us: as private mounts they would be kept busy on the host
  // for ever.
  if (mode == plan::RootMode::chroot && propagation.host_tree == MS_PRIVATE) {
    return Error::invalid_config("/linux/rootfsPropagation",
                                 "rootfsPropagation of [r]private is not safe without pivot_root");
  }
  if (mode == plan::RootMode::plain && spec.root->readonly) {
    return Error::invalid_config(
        "/root/readonly", "needs a new mount namespace, or the host's file system would become read-only");
  }
  return {};
}

// Appends `step` for each different path.
template <class Step>
Status plan_each(const std::vector<std::string>& paths,
                 std::string_view list,
                 Step step,
                 plan::Builder& builder) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string pointer = item_pointer(list, i);
    const std::string target = clean_path(paths[i]);
    if (contains_nul(target)) return Error::invalid_config(pointer, "path contains null byte");
    if (target == "/")
      return Error::invalid_config(pointer, cat({quoted(paths[i]), " is the top of the rootfs"}));
    if (!seen.insert(target).second) continue;
    step.target = builder.text(target);
    builder.add(pointer, step);
  }
  return {};
}

void plan_cwd(const spec::Spec& spec, plan::Builder& builder) {
  if (!spec.process.has_value()) return;
  const std::string cwd = clean_path(spec.process->cwd);
  if (cwd != "/") builder.add("/process/cwd", plan::MakeCwd{.target = builder.text(cwd)});
}

}  // namespace

Status plan_root(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder) {
  if (!spec.root.has_value() || spec.root->path.empty())
    return Error::invalid_config("/root", "root must be specified");
  if (contains_nul(spec.root->path)) return Error::invalid_config("/root/path", "path contains null byte");
  const plan::RootMode mode = root_mode(spec, host);
  const Propagation propagation = TRY(parse_propagation(spec));
  TRY(check_root_mode(spec, mode, propagation));

  const std::string source = path_on_host(spec.root->path, host.bundle);
  plan::PrepareRoot step{.source = builder.text(source), .mode = mode};
  if (mode != plan::RootMode::plain) {
    step.host_propagation = propagation.host_tree;
    step.root_propagation = propagation.rootfs;
  }
  if (mode != plan::RootMode::plain && host.privileged) {
    step.slot = builder.donate({.kind = plan::Donation::Kind::rootfs,
                                .recursive = true,
                                .source = source,
                                .field = "/root/path",
                                .attributes = {.recursive_propagation = propagation.rootfs}});
  }
  builder.add("/root/path", step);
  return {};
}

Status plan_paths(const spec::Spec& spec, const HostFacts& /*host*/, plan::Builder& builder) {
  const spec::Linux& linux_section = linux_of(spec);
  // A path on both lists ends up masked: covering comes last.
  TRY(plan_each(linux_section.readonly_paths, "/linux/readonlyPaths", plan::MakeReadonly{}, builder));
  const plan::Mask mask{.label = builder.text(linux_section.mount_label.value_or(""))};
  TRY(plan_each(linux_section.masked_paths, "/linux/maskedPaths", mask, builder));

  // From here on nothing is created in the container's tree any more.
  plan_cwd(spec, builder);
  plan_late_readonly(spec, builder);
  if (spec.root.has_value() && spec.root->readonly) {
    builder.add("/root/readonly",
                plan::SetAttributes{.target = builder.text("/"), .attributes = {.set = MOUNT_ATTR_RDONLY}});
  }
  return {};
}

void plan_late_readonly(const spec::Spec& spec, plan::Builder& builder) {
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    if (spec.mounts[i].type != "tmpfs") continue;
    const MountRequest request = read_mount(spec, i);
    if (!becomes_readonly_late(spec, request)) continue;
    builder.add(request.pointer, plan::SetAttributes{.target = builder.text(request.target),
                                                     .attributes = {.set = MOUNT_ATTR_RDONLY}});
  }
}

Status plan_pivot(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder) {
  builder.add("", plan::Pivot{});
  const Propagation propagation = TRY(parse_propagation(spec));
  if (propagation.root == 0 || root_mode(spec, host) == plan::RootMode::plain) return {};

  plan::MountAttributes attributes{};
  (propagation.recursive ? attributes.recursive_propagation : attributes.propagation) = propagation.root;
  builder.add("/linux/rootfsPropagation",
              plan::SetAttributes{.target = builder.text("/"), .attributes = attributes});
  return {};
}

}  // namespace capsule::ns
