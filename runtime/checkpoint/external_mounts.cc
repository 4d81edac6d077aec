#include "runtime/checkpoint/external_mounts.h"

#include <algorithm>
#include <optional>

#include "runtime/base/text.h"

namespace capsule::checkpoint {
namespace {

constexpr std::size_t kMountpointField = 4;  // 36 35 98:0 /mnt1 /mnt2 …, counted from 0

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The kernel writes blank, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(std::min(i + 1, text.size()), 3);
    if (text[i] == '\\' && digits.size() == 3 && std::all_of(digits.begin(), digits.end(), is_octal)) {
      plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string> mountpoints_of(std::string_view mountinfo) {
  std::vector<std::string> points;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() > kMountpointField) points.push_back(unescape(fields[kMountpointField]));
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
