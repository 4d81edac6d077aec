#include "runtime/checkpoint/external_mounts.h"

#include <algorithm>
#include <optional>

#include "runtime/base/text.h"

namespace capsule::checkpoint {
namespace {

constexpr std::size_t kMountpointField = 4;  // 36 35 98:0 /mnt1 /mnt2 …, counted from 0

std::vector<std::string> mountpoints_of(std::string_view mountinfo) {
  std::vector<std::string> points;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() > kMountpointField) points.push_back(unescape_mountinfo(fields[kMountpointField]));
  }
  return points;
}

bool is_canonical(std::string_view path) {
  if (path.empty() || path[0] != '/' || path == "/") return false;
  const std::vector<std::string_view> parts = split(path.substr(1), '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

bool could_be_syntax(std::string_view path) {
  const bool has_control =
      std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return has_control || path.find("]:") != std::string_view::npos;
}

Status check_place(const BoundMount& bound) {
  if (is_canonical(bound.target) && !could_be_syntax(bound.target)) return {};
  return Error::invalid_config(
      cat({"/mounts/", std::to_string(bound.mount), "/destination"}),
      cat({"CRIU would misread the mount point ", quoted(bound.target), ", so it cannot be checkpointed"}));
}

}  // namespace

Result<std::vector<ExternalMount>> plan_external_mounts(std::string_view mountinfo,
                                                        const std::vector<BoundMount>& bound) {
  const std::vector<std::string> points = mountpoints_of(mountinfo);
  std::vector<ExternalMount> external;
  for (const BoundMount& each : bound) {
    TRY(check_place(each));
    if (std::find(points.begin(), points.end(), each.target) == points.end())
      return Error::peer(cat({"nothing is mounted on ", quoted(each.target), " in the container"}));
    external.push_back({each.target, cat({"m", std::to_string(external.size())}), each.mount});
  }
  return external;
}

}  // namespace capsule::checkpoint
