#include "runtime/process/seccomp_library.h"

#include <cerrno>
#include <memory>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/process/seccomp_names.h"

namespace capsule::process {
namespace {

constexpr std::size_t kFewRules = 32;  // up to here a chain of comparisons is as good as a tree

// Level 6 of libseccomp's API has everything used here (Linux 5.7). Set rather than probed, so that the same
// profile gives the same program on every host; what a kernel lacks it says itself when init installs the
// program.
constexpr unsigned kApiLevel = 6;

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

std::size_t count_names(const SeccompProfile& profile) {
  std::size_t count = 0;
  for (const SeccompRule& rule : profile.rules)
    count += rule.names->size();
  return count;
}

Result<Filter> make_filter(const SeccompProfile& profile) {
  (void)seccomp_api_set(kApiLevel);  // refused only for levels that the library does not know
  Filter filter(seccomp_init(profile.default_action));
  if (filter == nullptr) return Error::system("seccomp_init", ENOMEM).with({kSeccompField});
  for (const std::uint32_t token : profile.architectures) {
    const int result = seccomp_arch_add(filter.get(), token);
    if (result == -EDOM) {
      return Error::invalid_config(cat({kSeccompField, "/architectures"}),
                                   "lists one whose byte order is not this machine's");
    }
    if (result < 0 && result != -EEXIST)
      return Error::system("seccomp_arch_add", -result).with({kSeccompField});
  }
  if (count_names(profile) > kFewRules)
    (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // speed only
  return filter;
}

Status add_name(void* filter, const SeccompRule& rule, const std::string& name) {
  const int number = seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) return {};  // no such call anywhere
  for (const SeccompCondition& condition : rule.conditions) {
    const int result = seccomp_rule_add_array(filter, rule.action, number,
                                              static_cast<unsigned>(condition.size()), condition.data());
    if (result == -EEXIST)
      return Error::invalid_config(rule.field, cat({"contradicts an earlier rule for ", name}));
    if (result < 0) return Error::system("seccomp_rule_add", -result, name).with({rule.field});
  }
  return {};
}

Status add_rule(void* filter, const SeccompRule& rule, std::uint32_t default_action) {
  if (rule.action == default_action) return {};  // libseccomp refuses rules that change nothing
  for (const std::string& name : *rule.names)
    TRY(add_name(filter, rule, name));
  return {};
}

Result<std::string> export_program(const Filter& filter) {
  const UniqueFd memory =
      TRY(sys::memfd_create("seccomp", 0));  // seccomp_export_bpf_mem needs libseccomp 2.6
  const int result = seccomp_export_bpf(filter.get(), memory.get());
  if (result < 0) return Error::system("seccomp_export_bpf", -result).with({kSeccompField});
  (void)TRY(sys::lseek(memory, 0, SEEK_SET));
  return read_fd(memory, "seccomp program");
}

}  // namespace

Result<std::string> compile_by_library(const SeccompProfile& profile) {
  const Filter filter = TRY(make_filter(profile));
  for (const SeccompRule& rule : profile.rules)
    TRY(add_rule(filter.get(), rule, profile.default_action));
  return export_program(filter);
}

}  // namespace capsule::process
