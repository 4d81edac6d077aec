// /mounts to steps: file systems here, binds in bind_plan.cc, views of the cgroup tree in
// cgroup_view_plan.cc.
#include <algorithm>
#include <array>
#include <optional>

#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "namespaces/propagation.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"
#include "runtime/plan/protocol.h"

namespace capsule::ns {
namespace {

// File systems of which a "ro" superblock would be somebody else's as well (proc, sysfs, cgroup2 are shared
// by a whole namespace), or would keep us from filling it: there "ro" is about the mount alone.
constexpr std::array<std::string_view, 7> kReadonlyMountOnly = {"cgroup", "cgroup2", "devpts", "mqueue",
                                                                "proc",   "sysfs",   "tmpfs"};
// These take no SELinux context: theirs comes from the policy, by path.
constexpr std::array<std::string_view, 3> kWithoutLabel = {"mqueue", "proc", "sysfs"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error null_byte(const std::string& pointer) {
  return Error::invalid_config(pointer, "mount field contains null byte");
}

Status check_destination(const MountRequest& request) {
  return contains_nul(request.mount.destination) ? null_byte(request.pointer + "/destination") : Status();
}

Status check_texts(const MountRequest& request) {
  const spec::Mount& mount = request.mount;
  TRY(check_destination(request));
  if (contains_nul(request.type())) return null_byte(request.pointer + "/type");
  if (mount.source.has_value() && contains_nul(*mount.source)) return null_byte(request.pointer + "/source");
  const auto bad = std::find_if(mount.options.begin(), mount.options.end(), contains_nul);
  if (bad == mount.options.end()) return {};
  return null_byte(
      item_pointer(request.pointer + "/options", static_cast<std::size_t>(bad - mount.options.begin())));
}

Status check_options(const MountRequest& request) {
  const MountOptions& options = request.options;
  if (options.tmpcopyup && !request.is_tmpfs()) {
    return Error::invalid_config(request.pointer + "/options", "tmpcopyup is only supported for tmpfs");
  }
  if ((options.source_nofollow || options.copy_symlink) && !request.is_bind()) {
    return Error::invalid_config(request.pointer + "/options",
                                 "src-nofollow and copy-symlink are only supported for bind mounts");
  }
  if (options.remount && request.wants_id_maps()) {
    return Error::invalid_config(request.pointer,
                                 "a mount cannot be id-mapped any more when it is remounted");
  }
  return {};
}

// A mount on "/" takes the place of the rootfs, which stays below it, out of sight.
Status check_top(const MountContext& context, const MountRequest& request) {
  if (request.target != "/" || request.options.remount) return {};
  const MountOptions& options = request.options;
  const auto refuse = [&](std::string_view why) {
    return Error::invalid_config(request.pointer + "/destination",
                                 cat({quoted(request.mount.destination), " is the top of the rootfs", why}));
  };
  if (context.host.joins)
    return refuse(" of a container that lives, and its processes would not see what covers it");
  if (root_mode(context.spec, context.host) == plan::RootMode::plain)
    return refuse(", and may be covered in a mount namespace of the container's own only");
  if (options.tmpcopyup || options.copy_symlink) return refuse(", and is not copied");
  const plan::MountAttributes& a = options.attributes;
  if (((a.propagation | a.recursive_propagation) & MS_SHARED) != 0)
    return refuse(", whose propagation is what /linux/rootfsPropagation says");
  return {};
}

// The words that undo a flag of the superblock, as fsconfig(2) knows them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSuperblockOpposites = {
    {{"lazytime", "nolazytime"}, {"mand", "nomand"}, {"sync", "async"}}};

// "ro" and "rw" are about the mount alone: the file system may be the host's as well.
Result<std::vector<std::string>> superblock_changes(const MountRequest& request) {
  const MountOptions& options = request.options;
  std::vector<std::string> words;
  for (const std::string& flag : options.superblock) {
    if (flag == "dirsync")
      return Error::invalid_config(request.pointer + "/options", "dirsync cannot be changed by a remount");
    if (flag != "ro") words.push_back(flag);
  }
  for (const auto& [flag, opposite] : kSuperblockOpposites) {
    const auto& cleared = options.superblock_cleared;
    if (std::find(cleared.begin(), cleared.end(), flag) != cleared.end()) words.emplace_back(opposite);
  }
  return words;
}

// A remount of a bind is about the mount; of anything else, about its file system too (mount(2)).
Status plan_remount(const MountRequest& request, plan::Builder& builder) {
  if (request.is_bind()) TRY(refuse_bind_data(request));
  std::vector<std::string> parameters;
  if (!request.is_bind()) parameters = TRY(superblock_changes(request));
  for (const MountOptions::Data& data : request.options.data) {
    for (std::string& word : split_data(data.text))
      parameters.push_back(std::move(word));
  }
  if (!parameters.empty()) {
    builder.add(request.pointer, plan::Reconfigure{.target = builder.text(request.target),
                                                   .options = builder.list(parameters)});
  }
  builder.add(request.pointer, plan::SetAttributes{.target = builder.text(request.target),
                                                   .attributes = request.options.attributes});
  return {};
}

Status plan_mount(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  TRY(check_texts(request));
  TRY(check_options(request));
  TRY(check_top(context, request));
  if (request.options.remount) return plan_remount(request, builder);
  if (request.is_bind()) return plan_bind(context, request, builder);
  if (request.is_cgroup()) return plan_cgroup_view(context, request, builder);
  return plan_filesystem(context, request, builder);
}

// "uid=" and "gid=" are the container's ids; without a map the kernel says only "invalid argument".
Status check_owner(const MountContext& context, const std::string& pointer, std::string_view word) {
  const bool is_uid = word.starts_with("uid=");
  if (!is_uid && !word.starts_with("gid=")) return {};
  if (!has_new_namespace(context.spec, spec::NamespaceType::user)) return {};

  const spec::Linux& linux_section = linux_of(context.spec);
  const std::optional<std::uint32_t> id = parse_integer<std::uint32_t>(word.substr(4));
  if (!id.has_value() || is_mapped(is_uid ? linux_section.uid_mappings : linux_section.gid_mappings, *id))
    return {};
  return Error::invalid_config(
      pointer, cat({"cannot specify ", word, ": the id is not mapped in the user namespace"}));
}

Result<std::vector<std::string>> plan_parameters(const MountContext& context, const MountRequest& request) {
  std::vector<std::string> parameters;
  for (const std::string& flag : request.options.superblock) {
    if (flag != "ro" || !contains(kReadonlyMountOnly, request.type())) parameters.push_back(flag);
  }
  for (const MountOptions::Data& data : request.options.data) {
    for (std::string& word : split_data(data.text)) {
      TRY(check_owner(context, item_pointer(request.pointer + "/options", data.index), word));
      parameters.push_back(std::move(word));
    }
  }
  const std::string label = linux_of(context.spec).mount_label.value_or("");
  // Given alone, in a call of its own: commas in it need no quotes (fsconfig(2)).
  if (!label.empty() && !contains(kWithoutLabel, request.type())) parameters.push_back("context=" + label);
  return parameters;
}

// A fresh mount has nothing below it and nothing to clear: one mask says all, and fsmount(2) takes it.
plan::MountAttributes of_fresh_mount(const plan::MountAttributes& a) {
  const std::uint64_t inherited = a.recursive_set & ~a.clear;
  return {.set = inherited | a.set,
          .propagation = a.propagation != 0 ? a.propagation : a.recursive_propagation};
}

// What a container that lives may have mounted from inside: file systems of its own namespaces, which take no
// source. Any other's source (a device, overlay's directories) would be looked up in its root, where it may
// name anything.
constexpr std::array<std::string_view, 7> kWithoutSource = {"cgroup2", "devpts", "mqueue", "proc",
                                                            "ramfs",   "sysfs",  "tmpfs"};

// Made by the host side: what is id-mapped, since only who owns the file system may do that and only before
// it is attached; and what has a source once init has left the host's tree.
Result<bool> is_made_outside(const MountContext& context, const MountRequest& request, const IdMaps& maps) {
  if (!maps.uids.empty()) return true;
  if (!context.host.joins || contains(kWithoutSource, request.type())) return false;
  if (context.host.privileged) return true;
  return Error::unsupported(cat({request.pointer, ": a file system of type ", quoted(request.type()),
                                 " cannot be added to a rootless container that lives"}));
}

}  // namespace

Status plan_filesystem(const MountContext& context, const MountRequest& request, plan::Builder& builder) {
  if (request.type().empty()) {
    return Error::invalid_config(request.pointer + "/type", "is needed for a mount that is not a bind mount");
  }
  IdMaps maps = TRY(plan_id_maps(context, request));

  plan::MountFilesystem step{.flags = TRY(target_flags(request))};
  std::vector<std::string> parameters = TRY(plan_parameters(context, request));
  const std::string source = request.mount.source.value_or("");
  step.target = builder.text(request.target);
  step.type = builder.text(request.type());
  step.source = builder.text(source.empty() ? request.type() : source);
  if (!parameters.empty()) step.options = builder.list(parameters);
  if (request.type() == "mqueue") step.label = builder.text(linux_of(context.spec).mount_label.value_or(""));
  if (request.options.tmpcopyup) step.flags |= plan::kMountTmpcopyup;
  step.attributes = of_fresh_mount(request.options.attributes);
  if (becomes_readonly_late(context.spec, request)) step.attributes.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};

  // sysfs shows a network namespace and may be mounted only by its owner: a user namespace that shares the
  // host's network gets the host's /sys.
  const bool borrows_network = has_namespace(context.spec, spec::NamespaceType::user) &&
                               !has_namespace(context.spec, spec::NamespaceType::network);
  if (request.type() == "sysfs" && borrows_network && !context.host.joins) {
    step.flags |= plan::kMountFallbackBind;
    step.fallback_source = builder.text("/sys");
    step.attributes = request.options.attributes;
  }
  if (TRY(is_made_outside(context, request, maps))) {
    step.slot = builder.donate({.kind = plan::Donation::Kind::filesystem,
                                .source = source.empty() ? std::string(request.type()) : source,
                                .field = request.pointer,
                                .type = std::string(request.type()),
                                .parameters = std::move(parameters),
                                .attributes = step.attributes,
                                .uid_map = std::move(maps.uids),
                                .gid_map = std::move(maps.gids)});
  }
  builder.add(request.pointer, step);
  return {};
}

Status plan_unmounts(const spec::Spec& spec, plan::Builder& builder) {
  for (std::size_t i = spec.mounts.size(); i-- > 0;) {
    const MountRequest request = read_mount(spec, i);
    TRY(check_destination(request));
    if (request.target == "/") {
      return Error::invalid_config(request.pointer + "/destination",
                                   cat({quoted(request.mount.destination), " is the top of the rootfs"}));
    }
    builder.add(request.pointer, plan::Unmount{.target = builder.text(request.target)});
  }
  return {};
}

Status plan_mounts(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder) {
  const Propagation propagation = TRY(parse_propagation(spec));
  const MountContext context{.spec = spec, .host = host, .bind_propagation = propagation.binds};
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    TRY(plan_mount(context, read_mount(spec, i), builder));
  }
  return {};
}

Status plan_extra_mount(const spec::Spec& spec,
                        const HostFacts& host,
                        const spec::Mount& mount,
                        std::string reason,
                        plan::Builder& builder) {
  const Propagation propagation = TRY(parse_propagation(spec));
  const MountContext context{.spec = spec, .host = host, .bind_propagation = propagation.binds};
  return plan_mount(context,
                    {.mount = mount,
                     .index = spec.mounts.size(),
                     .pointer = std::move(reason),
                     .target = clean_path(mount.destination),
                     .options = parse_mount_options(mount.options)},
                    builder);
}

Status plan_added_mounts(const spec::Spec& spec, const HostFacts& host, plan::Builder& builder) {
  const Propagation propagation = TRY(parse_propagation(spec));
  const MountContext context{.spec = spec, .host = host, .bind_propagation = propagation.binds};
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const MountRequest request = read_mount(spec, i);
    TRY(plan_mount(context, request, builder));
    builder.add(request.pointer, plan::Say{.line = static_cast<std::uint64_t>(protocol::Line::mounted)});
  }
  plan_late_readonly(spec, builder);
  return {};
}

}  // namespace capsule::ns
