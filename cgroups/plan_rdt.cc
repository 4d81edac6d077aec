#include "cgroups/plan_rdt.h"

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kPointer = "/linux/intelRdt";
constexpr std::string_view kDefaultGroup = "/";
// Directories that resctrl makes itself: no group can have such a name.
constexpr std::array<std::string_view, 3> kReserved = {"info", "mon_data", "mon_groups"};

bool is_set(const std::optional<std::string>& text) {
  return text.has_value() && !text->empty();
}

// The kernel pads its numbers ("    MB:0= 20;1=100"), users write none or other spaces.
std::string without_blanks(std::string_view line) {
  std::string text(line);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
  return text;
}

void add_lines(std::string_view text, bool leave_out_bandwidth, Lines& lines) {
  for (const std::string_view part : split(text, '\n')) {
    std::string line = without_blanks(part);
    if (line.empty() || (leave_out_bandwidth && line.starts_with("MB:"))) continue;
    lines.push_back(std::move(line));
  }
}

// In the order of config-linux.md: memBwSchema replaces the bandwidth lines of l3CacheSchema, `schemata`
// comes last and wins.
Lines lines_of(const spec::IntelRdt& rdt) {
  Lines lines;
  if (is_set(rdt.l3_cache_schema)) add_lines(*rdt.l3_cache_schema, is_set(rdt.mem_bw_schema), lines);
  if (is_set(rdt.mem_bw_schema)) add_lines(*rdt.mem_bw_schema, false, lines);
  if (rdt.schemata.has_value()) {
    for (const std::string& entry : *rdt.schemata)
      add_lines(entry, false, lines);
  }
  return lines;
}

// "0f0" and "F0" are one mask.
std::string comparable(std::string_view value) {
  const std::size_t digit = value.find_first_not_of('0');
  return digit == std::string_view::npos ? "0" : to_lower(value.substr(digit));
}

// "0=7f0" of "L3:0=7f0;1=1f", or "" if the line does not speak of that domain.
std::string_view value_of(std::string_view shares, std::string_view domain) {
  for (const std::string_view share : split(shares, ';')) {
    const std::size_t equals = share.find('=');
    if (equals != std::string_view::npos && comparable(share.substr(0, equals)) == comparable(domain))
      return share.substr(equals + 1);
  }
  return {};
}

// The shares of a resource, "0=7f0;1=1f", as the group has them now.
std::string_view shares_of(const Lines& existing, std::string_view resource) {
  for (const std::string& line : existing) {
    if (std::string_view(line).substr(0, line.find(':')) == resource)
      return std::string_view(line).substr(resource.size() + 1);
  }
  return {};
}

bool holds(const Lines& existing, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view shares = shares_of(existing, line.substr(0, colon));
  for (const std::string_view asked : split(line.substr(colon + 1), ';')) {
    const std::size_t equals = asked.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view now = value_of(shares, asked.substr(0, equals));
    if (now.empty() || comparable(now) != comparable(asked.substr(equals + 1))) return false;
  }
  return true;
}

// Others run in a group that exists: it is joined as it is, or not at all.
Status compare(const Lines& asked, const RdtFacts& facts, std::string_view group) {
  Lines existing;
  add_lines(facts.schemata, false, existing);
  for (const std::string& line : asked) {
    if (holds(existing, line)) continue;
    return Error::invalid_config(
        kPointer, cat({quoted(line), " does not match the schemata of the existing group ", group}));
  }
  return {};
}

Status check_name(const spec::IntelRdt& rdt, std::string_view id) {
  const bool has_name = is_set(rdt.clos_id);
  const std::string_view name = has_name ? std::string_view(*rdt.clos_id) : id;
  const bool is_reserved = std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
  // A line feed would be a second name to the kernel, which refuses it with less to say.
  if (!is_reserved && name.find('\n') == std::string_view::npos && name.find('\0') == std::string_view::npos)
    return {};
  return Error::invalid_config(cat({kPointer, has_name ? "/closID" : ""}),
                               cat({quoted(name), " cannot be the name of a group of resctrl"}));
}

std::string line_list(const Lines& lines) {
  return lines.empty() ? std::string() : cat({join(lines, "\n"), "\n"});
}

}  // namespace

std::string rdt_group_path(const spec::IntelRdt& rdt, std::string_view id, std::string_view mount) {
  if (!is_set(rdt.clos_id)) return cat({mount, "/", id});
  return *rdt.clos_id == kDefaultGroup ? std::string(mount) : cat({mount, "/", *rdt.clos_id});
}

std::string schemata_of(const spec::IntelRdt& rdt) {
  return line_list(lines_of(rdt));
}

Result<RdtPlan> plan_rdt(const spec::IntelRdt& rdt, std::string_view id, const RdtFacts& facts) {
  if (facts.mount.empty()) {
    return Error::unsupported(
        cat({kPointer,
             ": no resctrl file system is mounted; it needs a processor with RDT, a kernel that has "
             "resctrl in /proc/filesystems, and `mount -t resctrl resctrl /sys/fs/resctrl`"}));
  }
  TRY(check_name(rdt, id));
  const Lines lines = lines_of(rdt);
  RdtPlan plan{
      .mount = facts.mount, .group = rdt_group_path(rdt, id, facts.mount), .creates = !facts.group_exists};
  if (facts.group_exists) {
    TRY(compare(lines, facts, plan.group));
  } else if (is_set(rdt.clos_id) && lines.empty()) {
    return Error::invalid_config(
        cat({kPointer, "/closID"}),
        cat({"the group ", plan.group, " does not exist, and without a schema none is made"}));
  } else {
    plan.schemata = line_list(lines);
  }
  if (rdt.enable_monitoring.value_or(false)) plan.monitor = cat({plan.group, "/mon_groups/", id});
  return plan;
}

std::string describe_rdt(const RdtPlan& plan) {
  if (plan.group.empty()) return {};
  std::string text = cat({"rdt group ", plan.group, plan.creates ? " (new)\n" : "\n"});
  for (const std::string_view line : split(plan.schemata, '\n')) {
    if (!line.empty()) text.append(cat({"rdt schemata ", line, "\n"}));
  }
  if (!plan.monitor.empty()) text.append(cat({"rdt monitor ", plan.monitor, "\n"}));
  return text;
}

std::string find_resctrl(std::string_view mountinfo) {
  for (const std::string_view line : split(mountinfo, '\n')) {
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": optional fields up to " - ".
    const std::size_t separator = line.find(" - ");
    if (separator == std::string_view::npos || !line.substr(separator + 3).starts_with("resctrl ")) continue;
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() > 4) return unescape_mountinfo(fields[4]);
  }
  return {};
}

}  // namespace capsule::cgroups
