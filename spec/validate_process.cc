#include <array>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"
#include "spec/names.h"
#include "spec/pointer.h"
#include "spec/validate.h"
#include "spec/validate_checks.h"

namespace capsule::spec {
namespace {

constexpr auto kRlimits = std::to_array<FixedText<17>>({
    "RLIMIT_AS",
    "RLIMIT_CORE",
    "RLIMIT_CPU",
    "RLIMIT_DATA",
    "RLIMIT_FSIZE",
    "RLIMIT_LOCKS",
    "RLIMIT_MEMLOCK",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_NOFILE",
    "RLIMIT_NPROC",
    "RLIMIT_RSS",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
    "RLIMIT_SIGPENDING",
    "RLIMIT_STACK",
});

Status check_cwd(const Process& process, std::string_view pointer) {
  if (is_absolute(process.cwd)) return {};
  return Error::invalid_config(cat({pointer, "/cwd"}), "Cwd must be an absolute path");
}

Status check_args(const Process& process, std::string_view pointer) {
  if (!process.args.empty()) return {};
  return Error::invalid_config(cat({pointer, "/args"}), "args must not be empty");
}

// The specification allows only letters, digits and '_' in a name, but images have others
// ("ProgramFiles(x86)"), and nobody refuses them.
Status check_env(const Process& process, std::string_view pointer) {
  for (std::size_t i = 0; i < process.env.size(); ++i) {
    const std::size_t equals = process.env[i].find('=');
    if (equals != std::string::npos && equals > 0) continue;
    return Error::invalid_config(pointer_to(cat({pointer, "/env"}), i),
                                 cat({"must have the form NAME=value, not ", quoted(process.env[i])}));
  }
  return {};
}

Status check_rlimits(const Process& process, std::string_view pointer) {
  const std::string list = cat({pointer, "/rlimits"});
  for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
    const Rlimit& rlimit = process.rlimits[i];
    if (!contains(kRlimits, rlimit.type)) {
      return Error::invalid_config(pointer_to(list, i, "type"),
                                   cat({"wrong rlimit value: ", printable(rlimit.type)}));
    }
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (process.rlimits[earlier].type != rlimit.type) continue;
      return Error::invalid_config(pointer_to(list, i, "type"), cat({"duplicated rlimit ", rlimit.type}));
    }
    if (rlimit.soft > rlimit.hard) {
      return Error::invalid_config(pointer_to(list, i),
                                   cat({"the soft limit of ", rlimit.type, " is above the hard limit"}));
    }
  }
  return {};
}

Status check_oom_score_adj(const Process& process, std::string_view pointer) {
  if (!process.oom_score_adj.has_value()) return {};
  if (*process.oom_score_adj >= -1000 && *process.oom_score_adj <= 1000) return {};  // proc(5)
  return Error::invalid_config(cat({pointer, "/oomScoreAdj"}), "must be between -1000 and 1000");
}

}  // namespace

Status validate_process(const Process& process, std::string_view pointer) {
  using Check = Status (*)(const Process&, std::string_view);
  static constexpr std::array<Check, 5> kChecks = {check_cwd, check_args, check_env, check_rlimits,
                                                   check_oom_score_adj};
  for (const Check check : kChecks)
    TRY(check(process, pointer));

  if (process.scheduler.has_value()) TRY(check_scheduler(*process.scheduler, cat({pointer, "/scheduler"})));
  if (process.io_priority.has_value())
    TRY(check_io_priority(*process.io_priority, cat({pointer, "/ioPriority"})));
  if (!process.exec_cpu_affinity.has_value()) return {};
  return check_exec_cpu_affinity(*process.exec_cpu_affinity, cat({pointer, "/execCPUAffinity"}));
}

}  // namespace capsule::spec
