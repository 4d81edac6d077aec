#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "cgroups/device_program.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

static_assert(sizeof(BpfInstruction) == sizeof(bpf_insn));

// Linux 6.17 to 7.1 write past a query's attributes if they are short: always the whole union, and room for
// what later kernels add.
union Attributes {
  std::array<char, std::max(sizeof(bpf_attr), std::size_t{128})> bytes{};
  bpf_attr fields;
};

constexpr unsigned kMostPrograms = 64;  // a cgroup takes no more (BPF_CGROUP_MAX_PROGS)
constexpr std::size_t kLogSize = 65536;
constexpr std::size_t kMostLogShown = 1024;  // engines read at most 8 KiB of an error

template <class T>
std::uint64_t address_of(T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

std::uint32_t number_of(FdRef fd) {
  return static_cast<std::uint32_t>(fd.get());
}

Result<UniqueFd> open_result(long result, std::string_view command) {
  if (result < 0) return Error::system("bpf", static_cast<int>(-result), command);
  return UniqueFd(static_cast<int>(result));
}

void fill_load(const DeviceProgram& program, Attributes& attributes) {
  attributes.fields.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.fields.insns = address_of(program.instructions.data());
  attributes.fields.insn_cnt = static_cast<std::uint32_t>(program.instructions.size());
  attributes.fields.license = address_of("Apache-2.0");  // no helper is called, so none asks for another
  std::memcpy(attributes.fields.prog_name, "capsule_device", sizeof("capsule_device"));
}

// The verifier's last words, on one line.
std::string tail_of(std::string_view log) {
  while (!log.empty() && (log.back() == '\n' || log.back() == '\0'))
    log.remove_suffix(1);
  if (log.size() > kMostLogShown) log.remove_prefix(log.size() - kMostLogShown);
  std::string line(log);
  std::replace(line.begin(), line.end(), '\n', ';');
  return line;
}

// Loaded again with a log, which costs: only after a refusal.
Error explain_refusal(const DeviceProgram& program, int err) {
  std::string log(kLogSize, '\0');
  Attributes attributes;
  fill_load(program, attributes);
  attributes.fields.log_level = 1;
  attributes.fields.log_buf = address_of(log.data());
  attributes.fields.log_size = static_cast<std::uint32_t>(log.size());
  const UniqueFd loaded(static_cast<int>(sys::bpf(BPF_PROG_LOAD, &attributes, sizeof(attributes))));
  const std::string said = tail_of(std::string_view(log.c_str()));
  Error refusal = Error::system("bpf", err, "BPF_PROG_LOAD of the device program");
  if (said.empty()) return refusal;
  return std::move(refusal).with({cat({"the verifier said \"", said, "\""})});
}

Result<UniqueFd> load(const DeviceProgram& program) {
  Attributes attributes;
  fill_load(program, attributes);
  // Memory is no question of RLIMIT_MEMLOCK since Linux 5.11, and older kernels lack mount_setattr(2), which
  // is needed before.
  const long result = sys::bpf(BPF_PROG_LOAD, &attributes, sizeof(attributes));
  if (result < 0) return explain_refusal(program, static_cast<int>(-result));
  return UniqueFd(static_cast<int>(result));
}

struct Attached {
  std::vector<std::uint32_t> ids;
  std::uint32_t flags = 0;
};

Result<Attached> query(FdRef cgroup) {
  std::array<std::uint32_t, kMostPrograms> ids{};
  Attributes attributes;
  attributes.fields.query.target_fd = number_of(cgroup);
  attributes.fields.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.fields.query.prog_ids = address_of(ids.data());
  attributes.fields.query.prog_cnt = kMostPrograms;
  const long result = sys::bpf(BPF_PROG_QUERY, &attributes, sizeof(attributes));
  if (result < 0) return Error::system("bpf", static_cast<int>(-result), "BPF_PROG_QUERY");
  const std::size_t count = std::min<std::size_t>(attributes.fields.query.prog_cnt, ids.size());
  return Attached{{ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count)},
                  attributes.fields.query.attach_flags};
}

Result<UniqueFd> open_program(std::uint32_t id) {
  Attributes attributes;
  attributes.fields.prog_id = id;
  return open_result(sys::bpf(BPF_PROG_GET_FD_BY_ID, &attributes, sizeof(attributes)),
                     "BPF_PROG_GET_FD_BY_ID");
}

Status change(int command, FdRef cgroup, FdRef program, std::uint32_t flags, int replaced = 0) {
  Attributes attributes;
  attributes.fields.target_fd = number_of(cgroup);
  attributes.fields.attach_bpf_fd = number_of(program);
  attributes.fields.attach_type = BPF_CGROUP_DEVICE;
  attributes.fields.attach_flags = flags;
  attributes.fields.replace_bpf_fd = static_cast<std::uint32_t>(replaced);
  const long result = sys::bpf(command, &attributes, sizeof(attributes));
  const char* name = command == BPF_PROG_ATTACH ? "BPF_PROG_ATTACH" : "BPF_PROG_DETACH";
  if (result < 0) return Error::system("bpf", static_cast<int>(-result), name);
  return {};
}

Status detach(FdRef cgroup, const std::vector<UniqueFd>& programs) {
  for (const UniqueFd& program : programs)
    TRY(change(BPF_PROG_DETACH, cgroup, program, 0));
  return {};
}

// There must be no moment in which neither the old program nor the new one decides.
Status replace(FdRef cgroup, FdRef program, const Attached& attached, const std::vector<UniqueFd>& old) {
  if (!old.empty() &&
      (attached.flags & BPF_F_ALLOW_MULTI) == 0) {  // a lone program gives way to the next by itself
    return change(BPF_PROG_ATTACH, cgroup, program, attached.flags);
  }
  if (old.size() == 1) {
    Status replaced =
        change(BPF_PROG_ATTACH, cgroup, program, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, old.front().get());
    if (replaced.has_value() || replaced.error().code() != EINVAL)
      return replaced;  // EINVAL: before Linux 5.6
  }
  TRY(change(BPF_PROG_ATTACH, cgroup, program, BPF_F_ALLOW_MULTI));
  return detach(cgroup, old);
}

Status apply(const DeviceProgram& program, FdRef cgroup) {
  const Attached attached = TRY(query(cgroup));
  std::vector<UniqueFd> old;
  for (const std::uint32_t id : attached.ids)
    old.push_back(TRY(open_program(id)));

  if (program.allows_everything) return detach(cgroup, old);
  const UniqueFd loaded = TRY(load(program));
  return replace(cgroup, loaded, attached, old);
}

}  // namespace

Status apply_device_program(const DeviceProgram& program, FdRef cgroup) {
  return apply(program, cgroup).context("/linux/resources/devices");
}

}  // namespace capsule::cgroups
