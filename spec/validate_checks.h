// The checks behind validate(): each looks at one rule and names the first place that breaks it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::spec {

bool is_absolute(std::string_view path);
const Namespace* find_namespace(const Linux& linux_part, NamespaceType type);  // nullptr: not listed

// How many numbers a list such as "0-3,7" names; nullopt if it is malformed. Blanks around a number and stray
// commas are allowed, as runc does.
std::optional<std::uint64_t> count_list(std::string_view list);

// validate_namespaces.cc
Status check_namespaces(const Linux& linux_part);
Status check_id_mappings(const Linux& linux_part);
Status check_user_is_mapped(const Spec& spec);
Status check_time_offsets(const Linux& linux_part);
Status check_net_devices(const Linux& linux_part);
Status check_mapping_sizes(const std::vector<IdMapping>& mappings, std::string_view pointer);

// validate_linux.cc
Status check_devices(const Linux& linux_part);
Status check_rootfs_propagation(const Linux& linux_part);
Status check_restricted_paths(const Linux& linux_part);
Status check_intel_rdt(const Linux& linux_part);
Status check_memory_policy(const Linux& linux_part);
Status check_personality(const Linux& linux_part);
std::span<const std::string_view> memory_policy_modes();
std::span<const std::string_view> memory_policy_flags();

// validate_resources.cc
Status check_resources(const LinuxResources& resources, std::string_view pointer);

// validate_seccomp.cc
Status check_seccomp(const Seccomp& seccomp);

// validate_sysctl.cc
Status check_sysctls(const Spec& spec);

// validate_scheduling.cc
Status check_scheduler(const Scheduler& scheduler, std::string_view pointer);
Status check_io_priority(const IoPriority& io_priority, std::string_view pointer);
Status check_exec_cpu_affinity(const ExecCpuAffinity& affinity, std::string_view pointer);

}  // namespace capsule::spec
