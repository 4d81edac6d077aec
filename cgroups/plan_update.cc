// Which lines an update writes, and which undo it: pure.
#include <algorithm>
#include <cstdint>

#include "cgroups/update.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

// cpu.max holds quota and period, and a cgroup that stops being idle has lost its weight: what was not given
// comes from what was merged.
void complete_cpu(spec::Cpu& cpu, const spec::Cpu& merged, const std::optional<spec::Cpu>& old) {
  if (cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) != 0) {
    cpu.quota = merged.quota;
    cpu.period = merged.period;
  }
  const bool was_idle = old.has_value() && old->idle.value_or(0) != 0;
  if (was_idle && cpu.idle == 0) cpu.shares = merged.shares;
}

// memory.swap.max is what `swap` says beyond `limit`, so neither means anything without the other.
void complete_memory(spec::Memory& memory, const spec::Memory& merged) {
  if (memory.swap.value_or(0) != 0) memory.limit = merged.limit;
  memory.check_before_update = merged.check_before_update;
}

void drop_file(std::vector<Write>& writes, std::string_view file) {
  writes.erase(std::remove_if(writes.begin(), writes.end(), [&](const Write& w) { return w.file == file; }),
               writes.end());
}

// A line of `unified` that the change overrules in its own words would be wrong in the container's config.
void drop_overruled(spec::LinuxResources& merged,
                    const spec::LinuxResources& change,
                    const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    const bool is_flat = write.file.starts_with("io.") || write.file == "rdma.max";
    if (!is_flat && !change.unified.contains(write.file)) merged.unified.erase(write.file);
  }
}

bool is_device(std::string_view word) {
  const std::size_t colon = word.find(':');
  return colon != std::string_view::npos && parse_integer<std::uint32_t>(word.substr(0, colon)) &&
         parse_integer<std::uint32_t>(word.substr(colon + 1));
}

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find(' '));
}

// "8:0 rbps=max wbps=max": the keys that were set, back to what they are without a line.
std::string default_line(std::string_view file, std::string_view written) {
  if (file != "io.max" && file != "io.latency") return cat({first_word(written), " default"});
  std::string line(first_word(written));
  for (const std::string_view word : split(written, ' ')) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    line.append(cat({" ", word.substr(0, equals), file == "io.max" ? "=max" : "=0"}));
  }
  return line;
}

// cgroup.subtree_control lists what is on and takes what is to change: "+cpu -io".
std::vector<std::string> restore_controllers(std::string_view content,
                                             const std::vector<std::string>& written) {
  const std::vector<std::string_view> enabled = split(content, ' ');
  std::string line;
  for (const std::string& value : written) {
    for (const std::string_view word : split(value, ' ')) {
      if (word.size() < 2) continue;
      const bool was_on = std::find(enabled.begin(), enabled.end(), word.substr(1)) != enabled.end();
      line.append(cat({line.empty() ? "" : " ", was_on ? "+" : "-", word.substr(1)}));
    }
  }
  if (line.empty()) return {};
  return {line};
}

std::vector<std::string_view> lines_of(std::string_view content) {
  std::vector<std::string_view> lines = split(content, '\n');
  lines.erase(std::remove(lines.begin(), lines.end(), std::string_view()), lines.end());
  return lines;
}

}  // namespace

Result<Update> plan_update(const spec::LinuxResources& old, const spec::LinuxResources& change) {
  Update update{.resources = merge_resources(old, change), .writes = {}};
  spec::LinuxResources asked = change;
  if (asked.cpu) complete_cpu(*asked.cpu, *update.resources.cpu, old.cpu);
  if (asked.memory) complete_memory(*asked.memory, *update.resources.memory);
  update.writes = TRY(plan_unified(asked));
  const bool limit_is_old = change.memory.has_value() && change.memory->limit.value_or(0) == 0;
  const bool limit_is_raw = change.unified.contains("memory.max");
  if (limit_is_old && !limit_is_raw) drop_file(update.writes, "memory.max");
  drop_overruled(update.resources, change, update.writes);
  return update;
}

std::vector<std::string> plan_restore(std::string_view file,
                                      std::string_view content,
                                      const std::vector<std::string>& written) {
  const std::vector<std::string_view> lines = lines_of(content);
  if (file == "cgroup.subtree_control")
    return restore_controllers(lines.empty() ? "" : lines.front(), written);

  std::vector<std::string> restored;
  for (const std::string& line : written) {
    const std::string_view device = first_word(line);
    const bool has_line = std::any_of(lines.begin(), lines.end(),
                                      [&](std::string_view old) { return first_word(old) == device; });
    if (is_device(device) && !has_line) restored.push_back(default_line(file, line));
  }
  // "default 100" is a line of io.weight; the number alone is what io.bfq.weight takes as well.
  constexpr std::string_view kDefault = "default ";
  for (const std::string_view line : lines)
    restored.emplace_back(line.starts_with(kDefault) ? line.substr(kDefault.size()) : line);
  if (restored.empty()) restored.emplace_back("\n");  // cpuset.cpus: empty is a value
  return restored;
}

}  // namespace capsule::cgroups
