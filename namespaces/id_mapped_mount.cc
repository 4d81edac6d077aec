// Which maps an id-mapped mount has: its own (uidMappings, gidMappings), those of crun's "idmap=…", or the
// container's.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "namespaces/lexical.h"
#include "namespaces/mount_request.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

using Mappings = std::vector<spec::IdMapping>;

struct MappingPair {
  Mappings uids;
  Mappings gids;
};

// "0-1000-10": ids of the file system from 0 on appear as 1000 on, 10 of them. With "@" in front the second
// number is the container's id and is looked up in the container's own map.
Result<spec::IdMapping> parse_triple(std::string_view text,
                                     const Mappings& container,
                                     const std::string& pointer) {
  const bool relative = text.starts_with('@');
  const std::vector<std::string_view> parts = split(relative ? text.substr(1) : text, '-');
  std::array<std::uint32_t, 3> numbers{};
  bool valid = parts.size() == numbers.size();
  for (std::size_t i = 0; valid && i < numbers.size(); ++i) {
    const std::optional<std::uint32_t> number = parse_integer<std::uint32_t>(parts[i]);
    valid = number.has_value();
    numbers[i] = number.value_or(0);
  }
  if (!valid || numbers[2] == 0) {
    return Error::invalid_config(pointer,
                                 cat({"id mapping ", quoted(text), " must look like \"0-1000-10\""}));
  }

  std::optional<std::uint32_t> on_host = numbers[1];
  if (relative) on_host = host_id(container, numbers[1]);
  if (!on_host.has_value()) {
    return Error::invalid_config(
        pointer, cat({"id mapping ", quoted(text), " is outside the container's user namespace"}));
  }
  return spec::IdMapping{.container_id = numbers[0], .host_id = *on_host, .size = numbers[2]};
}

Result<Mappings> parse_triples(std::string_view text, const Mappings& container, const std::string& pointer) {
  Mappings mappings;
  for (const std::string_view triple : split(text, '#')) {
    mappings.push_back(TRY(parse_triple(triple, container, pointer)));
  }
  if (mappings.empty()) return Error::invalid_config(pointer, "id mapping is empty");
  return mappings;
}

// "uids=0-1-10#10-11-10;gids=0-100-10"; the kind that is left out is the container's.
Result<MappingPair> parse_option(std::string_view text, MappingPair container, const std::string& pointer) {
  MappingPair parsed = container;
  for (const std::string_view part : split(text, ';')) {
    if (part.starts_with("uids=")) {
      parsed.uids = TRY(parse_triples(part.substr(5), container.uids, pointer));
    } else if (part.starts_with("gids=")) {
      parsed.gids = TRY(parse_triples(part.substr(5), container.gids, pointer));
    } else {
      return Error::invalid_config(
          pointer, cat({"unknown id mapping ", quoted(part), ", only uids= and gids= are known"}));
    }
  }
  return parsed;
}

Result<MappingPair> choose_mappings(const MountContext& context, const MountRequest& request) {
  const spec::Linux& linux_section = linux_of(context.spec);
  const spec::Mount& mount = request.mount;
  MappingPair container{linux_section.uid_mappings, linux_section.gid_mappings};
  if (!request.options.idmap_maps.empty()) {
    return parse_option(request.options.idmap_maps, std::move(container),
                        item_pointer(request.pointer + "/options", request.options.idmap_index));
  }
  if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty())
    return MappingPair{mount.uid_mappings, mount.gid_mappings};
  return container;
}

// Their files have owners of the kernel's choosing, and the kernel maps none of them.
constexpr std::array<std::string_view, 6> kNeverMapped = {"cgroup", "cgroup2", "devpts",
                                                          "mqueue", "proc",    "sysfs"};

Status check_type(const MountRequest& request) {
  if (request.is_bind()) return {};
  if (std::find(kNeverMapped.begin(), kNeverMapped.end(), request.type()) == kNeverMapped.end()) return {};
  return Error::invalid_config(
      request.pointer, cat({"a file system of type ", quoted(request.type()), " cannot be id-mapped"}));
}

}  // namespace

Result<IdMaps> plan_id_maps(const MountContext& context, const MountRequest& request) {
  // Mappings alone ask for an id-mapped mount too (config.md#mounts).
  if (!request.wants_id_maps()) return IdMaps{};
  TRY(check_type(request));
  if (!context.host.privileged) {
    return Error::unsupported(
        cat({request.pointer, ": id-mapped mounts are not supported for rootless containers"}));
  }

  const MappingPair chosen = TRY(choose_mappings(context, request));
  if (chosen.uids.empty() || chosen.gids.empty()) {
    return Error::invalid_config(request.pointer,
                                 "id-mapped mounts must have both uid and gid mappings specified");
  }
  return IdMaps{describe_id_map(chosen.uids), describe_id_map(chosen.gids), request.options.recursive_idmap};
}

}  // namespace capsule::ns
