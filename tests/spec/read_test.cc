#include "spec/read.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

Spec read_full() {
  auto spec = read(full_document());
  INFO(message_of(spec));
  REQUIRE(spec.has_value());
  return std::move(spec).value();
}

capsule::Boxed<Linux> read_linux(const std::string& members) {
  auto spec = read(R"({"ociVersion": "1.0.0", "linux": {)" + members + "}}");
  INFO(message_of(spec));
  REQUIRE(spec.has_value());
  return std::move(spec).value().linux;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("the top level is read as written", "[spec][read]") {
  const Spec spec = read_full();

  CHECK(spec.oci_version == "1.3.0");
  CHECK(spec.root->path == "rootfs");
  CHECK(spec.root->readonly);
  CHECK(spec.hostname == "slartibartfast");
  CHECK(spec.domainname == "example.org");
  CHECK(spec.annotations.at("com.example.gpu-cores") == "2");
  CHECK(spec.annotations.at("umlaut") == "ü");
}

TEST_CASE("the namespaces are told before anything else is read, if they can be", "[spec][read]") {
  struct Case {
    const char* json;
    std::vector<NamespaceType> told;
    bool is_right;
  };
  const Case cases[] = {
      {R"({"ociVersion": "1.3.0", "linux": {"namespaces": [{"type": "network"}, {"type": "pid"}]}})",
       {NamespaceType::network, NamespaceType::pid},
       true},
      {R"({"ociVersion": 7, "linux": {"namespaces": [{"type": "uts"}]}})", {NamespaceType::uts}, false},
      {R"({"ociVersion": "1.3.0", "linux": {"namespaces": [{"type": "uts"}, {"type": "moon"}]}})", {}, false},
      {R"({"ociVersion": "1.3.0", "linux": 5})", {}, false},
      {R"({"ociVersion": "1.3.0"})", {}, true},
  };
  for (const Case& c : cases) {
    INFO(c.json);
    int calls = 0;
    std::vector<NamespaceType> told;
    const auto spec = read(c.json, [&](const std::vector<Namespace>& listed) {
      ++calls;
      for (const Namespace& entry : listed)
        told.push_back(entry.type);
    });
    CHECK(calls == 1);
    CHECK((told == c.told));
    CHECK(spec.has_value() == c.is_right);
  }
  bool called = false;
  CHECK_FALSE(read("{", [&](const auto&) { called = true; }).has_value());
  CHECK_FALSE(called);
}

TEST_CASE("mounts keep their order and their options", "[spec][read]") {
  const Spec spec = read_full();

  REQUIRE(spec.mounts.size() == 2);
  CHECK(spec.mounts[0].destination == "/proc");
  CHECK(spec.mounts[0].options.empty());
  CHECK(spec.mounts[1].type == "bind");
  CHECK(spec.mounts[1].source == "/volumes/testing");
  CHECK(spec.mounts[1].options == Strings{"rbind", "ro", "rw"});
  CHECK(spec.mounts[1].uid_mappings.at(0).host_id == 1000);
  CHECK(spec.mounts[1].gid_mappings.at(0).size == 2);
}

TEST_CASE("the process is read as written", "[spec][read]") {
  const Process process = *read_full().process;

  CHECK(process.terminal);
  CHECK(process.console_size->height == 25);
  CHECK(process.console_size->width == 80);
  CHECK(process.user.uid == 7);
  CHECK(process.user.gid == 8);
  CHECK(process.user.umask == 18U);
  CHECK(process.user.additional_gids == std::vector<std::uint32_t>{9, 10});
  CHECK(process.args == Strings{"sh", "-c", ""});
  CHECK(process.env == Strings{"PATH=/bin", "EMPTY="});
  CHECK(process.cwd == "/work");
  CHECK(process.no_new_privileges);
  CHECK(process.apparmor_profile == "acme");
  CHECK(process.selinux_label == "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
}

TEST_CASE("the process's limits and priorities are read as written", "[spec][read]") {
  const Process process = *read_full().process;

  CHECK(process.capabilities->bounding == Strings{"CAP_CHOWN"});
  CHECK(process.capabilities->effective == Strings{"CAP_KILL"});
  CHECK(process.capabilities->inheritable == Strings{"CAP_FOWNER"});
  CHECK(process.capabilities->permitted == Strings{"CAP_SETUID"});
  CHECK(process.capabilities->ambient == Strings{"CAP_UNHEARD_OF"});
  CHECK(process.rlimits.at(0).type == "RLIMIT_NOFILE");
  CHECK(process.rlimits.at(0).soft == 1024);
  CHECK(process.rlimits.at(0).hard == UINT64_MAX);
  CHECK(process.oom_score_adj == 0);
  CHECK(process.scheduler->policy == "SCHED_DEADLINE");
  CHECK(process.scheduler->nice == -5);
  CHECK(process.scheduler->priority == 0);
  CHECK(process.scheduler->flags == Strings{"SCHED_FLAG_RECLAIM"});
  CHECK(process.scheduler->runtime == 1000U);
  CHECK(process.scheduler->deadline == 2000U);
  CHECK(process.scheduler->period == 3000U);
  CHECK(process.io_priority->io_class == "IOPRIO_CLASS_IDLE");
  CHECK(process.io_priority->priority == 4);
  CHECK(process.exec_cpu_affinity->initial == "0-3,7");
  CHECK(process.exec_cpu_affinity->final_set == "4");
}

TEST_CASE("hooks of every kind are read, and no environment is not an empty one", "[spec][read]") {
  const Hooks hooks = read_full().hooks;

  CHECK(hooks.prestart.at(0).path == "/h/prestart");
  CHECK(hooks.prestart.at(0).args == Strings{"h", "1"});
  CHECK(hooks.prestart.at(0).env == Strings{"A=1"});
  CHECK(hooks.prestart.at(0).timeout == 5);
  CHECK(hooks.create_runtime.at(0).path == "/h/createRuntime");
  CHECK_FALSE(hooks.create_runtime.at(0).env.has_value());
  CHECK(hooks.create_container.at(0).path == "/h/createContainer");
  CHECK(hooks.create_container.at(0).env == Strings{});
  CHECK(hooks.start_container.at(0).path == "/h/startContainer");
  CHECK(hooks.poststart.at(0).path == "/h/poststart");
  CHECK(hooks.poststop.at(0).path == "/h/poststop");
}

TEST_CASE("namespaces, mappings and offsets are read as written", "[spec][read]") {
  const Linux linux_part = *read_full().linux;

  REQUIRE(linux_part.namespaces.size() == 8);
  CHECK(linux_part.namespaces[0].type == NamespaceType::pid);
  CHECK(linux_part.namespaces[0].path == "/proc/1234/ns/pid");
  CHECK(linux_part.namespaces[1].type == NamespaceType::network);
  CHECK_FALSE(linux_part.namespaces[1].path.has_value());
  CHECK(linux_part.namespaces[7].type == NamespaceType::time);
  CHECK(linux_part.uid_mappings.at(0).host_id == 100000);
  CHECK(linux_part.gid_mappings.at(0).size == 4294767294U);
  CHECK(linux_part.time_offsets.at("monotonic").nanosecs == 999999999);
  CHECK(linux_part.time_offsets.at("boottime").secs == -604800);
  CHECK(linux_part.time_offsets.at("boottime").nanosecs == 0);
}

TEST_CASE("devices and the rest below linux are read as written", "[spec][read]") {
  const Linux linux_part = *read_full().linux;

  CHECK(linux_part.devices.at(0).path == "/dev/fuse");
  CHECK(linux_part.devices.at(0).type == "c");
  CHECK(linux_part.devices.at(0).major == 10);
  CHECK(linux_part.devices.at(0).minor == 229);
  CHECK(linux_part.devices.at(0).file_mode == 0666U);
  CHECK(linux_part.devices.at(0).uid == 3U);
  CHECK(linux_part.devices.at(0).gid == 4U);
  CHECK_FALSE(linux_part.devices.at(1).major.has_value());
  CHECK_FALSE(linux_part.net_devices.at("eth0").name.has_value());
  CHECK(linux_part.net_devices.at("ens4").name == "net1");
  CHECK(linux_part.cgroups_path == "/acme/web");
  CHECK(linux_part.rootfs_propagation == "slave");
  CHECK(linux_part.sysctl.at("kernel.shmmax") == "4096");
  CHECK(linux_part.masked_paths == Strings{"/proc/kcore"});
  CHECK(linux_part.readonly_paths == Strings{"/proc/sys"});
  CHECK(linux_part.mount_label == "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
  CHECK(linux_part.intel_rdt->clos_id == "guaranteed");
  CHECK(linux_part.intel_rdt->schemata == Strings{"L3:0=f"});
  CHECK(linux_part.intel_rdt->l3_cache_schema == "L3:0=7f0;1=1f");
  CHECK(linux_part.intel_rdt->mem_bw_schema == "MB:0=20;1=70");
  CHECK(linux_part.intel_rdt->enable_monitoring == true);
  CHECK(linux_part.memory_policy->mode == "MPOL_BIND");
  CHECK(linux_part.memory_policy->nodes == "0-1,3");
  CHECK(linux_part.memory_policy->flags == Strings{"MPOL_F_STATIC_NODES"});
  CHECK(linux_part.personality->domain == "LINUX32");
  CHECK(linux_part.personality->flags == Strings{"UNHEARD_OF"});
}

TEST_CASE("memory and cpu limits are read exactly, up to the last of 64 bits", "[spec][read]") {
  const LinuxResources resources = *read_full().linux->resources;

  CHECK(resources.memory->limit == 536870912);
  CHECK(resources.memory->reservation == -1);
  CHECK(resources.memory->swap == INT64_MAX);
  CHECK(resources.memory->kernel == 1);
  CHECK(resources.memory->kernel_tcp == 2);
  CHECK(resources.memory->swappiness == 60U);
  CHECK(resources.memory->disable_oom_killer == false);
  CHECK(resources.memory->use_hierarchy == true);
  CHECK(resources.memory->check_before_update == true);
  CHECK(resources.cpu->shares == 1024U);
  CHECK(resources.cpu->quota == -1);
  CHECK(resources.cpu->burst == 5U);
  CHECK(resources.cpu->period == 100000U);
  CHECK(resources.cpu->realtime_runtime == 950000);
  CHECK(resources.cpu->realtime_period == 1000000U);
  CHECK(resources.cpu->cpus == "2-3");
  CHECK(resources.cpu->mems == "0-7");
  CHECK(resources.cpu->idle == 1);
  CHECK(resources.pids->limit == 0);
}

TEST_CASE("device rules, I/O and the other controllers are read as written", "[spec][read]") {
  const LinuxResources resources = *read_full().linux->resources;

  CHECK_FALSE(resources.devices.at(0).allow);
  CHECK_FALSE(resources.devices.at(0).type.has_value());
  CHECK(resources.devices.at(1).type == "c");
  CHECK(resources.devices.at(1).major == 10);
  CHECK(resources.devices.at(1).minor == -1);
  CHECK(resources.devices.at(1).access == "rw");
  CHECK(resources.block_io->weight == 10);
  CHECK(resources.block_io->leaf_weight == 11);
  CHECK(resources.block_io->weight_device.at(0).leaf_weight == 300);
  CHECK(resources.block_io->weight_device.at(1).weight == 0);
  CHECK(resources.block_io->throttle_read_bps_device.at(0).rate == 600);
  CHECK(resources.block_io->throttle_write_bps_device.at(0).rate == 601);
  CHECK(resources.block_io->throttle_read_iops_device.at(0).rate == 602);
  CHECK(resources.block_io->throttle_write_iops_device.at(0).minor == 3);
  CHECK(resources.hugepage_limits.at(0).page_size == "2MB");
  CHECK(resources.hugepage_limits.at(0).limit == 9223372036854772000U);
  CHECK(resources.network->class_id == 1048577U);
  CHECK(resources.network->priorities.at(0).name == "eth0");
  CHECK(resources.rdma.at("mlx5_1").hca_handles == 3U);
  CHECK_FALSE(resources.rdma.at("rxe3").hca_objects.has_value());
  CHECK(resources.unified.at("io.max") == "259:0 rbps=2097152 wiops=120");
}

TEST_CASE("a seccomp profile is read as written", "[spec][read]") {
  const Seccomp seccomp = *read_full().linux->seccomp;

  CHECK(seccomp.default_action == "SCMP_ACT_ERRNO");
  CHECK(seccomp.default_errno_ret == 38U);
  CHECK(seccomp.architectures == Strings{"SCMP_ARCH_X86_64", "SCMP_ARCH_RISCV64"});
  CHECK(seccomp.listener_path == "/run/agent.sock");
  CHECK(seccomp.listener_metadata == "opaque");
  CHECK(seccomp.syscalls.at(0).names == Strings{"getcwd", "chmod"});
  CHECK_FALSE(seccomp.syscalls.at(0).errno_ret.has_value());
  CHECK(seccomp.syscalls.at(1).errno_ret == 22U);
  CHECK(seccomp.syscalls.at(1).args.at(0).index == 5);
  CHECK(seccomp.syscalls.at(1).args.at(0).value == UINT64_MAX);
  CHECK(seccomp.syscalls.at(1).args.at(0).value_two == 2114060288U);
  CHECK(seccomp.syscalls.at(1).args.at(0).op == "SCMP_CMP_MASKED_EQ");
  CHECK(seccomp.syscalls.at(2).args.at(0).value_two == 0);
}

TEST_CASE("seccomp flags: an empty list is not the same as none", "[spec][read]") {
  CHECK(read_linux(R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "flags": []})")->seccomp->flags ==
        Strings{});
  CHECK_FALSE(read_linux(R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW"})")->seccomp->flags.has_value());
}

TEST_CASE("a seccomp profile without default action and rules is none at all", "[spec][read]") {
  CHECK_FALSE(read_linux(R"("seccomp": {})")->seccomp.has_value());
  CHECK_FALSE(read_linux(R"("seccomp": {"defaultAction": ""})")->seccomp.has_value());
  CHECK(read_linux(R"("seccomp": {"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW"}]})")
            ->seccomp.has_value());
}

TEST_CASE("null and empty text count as absent", "[spec][read]") {
  const auto spec = read(R"({
    "ociVersion": "1.0.0", "process": null, "mounts": null, "hostname": "", "hooks": null, "annotations": null,
    "linux": {"namespaces": [{"type": "ipc", "path": ""}], "cgroupsPath": "", "seccomp": null, "maskedPaths": null,
              "resources": {"pids": {"limit": null}, "cpu": {"cpus": ""}, "unified": null}}})");

  INFO(message_of(spec));
  REQUIRE(spec.has_value());
  CHECK_FALSE(spec.value().process.has_value());
  CHECK_FALSE(spec.value().hostname.has_value());
  CHECK_FALSE(spec.value().linux->namespaces.at(0).path.has_value());
  CHECK_FALSE(spec.value().linux->cgroups_path.has_value());
  CHECK_FALSE(spec.value().linux->seccomp.has_value());
  CHECK_FALSE(spec.value().linux->resources->pids->limit.has_value());
  CHECK_FALSE(spec.value().linux->resources->cpu->cpus.has_value());
}

// Covers: /solaris, /windows, /vm, /zos, /freebsd, /process/commandLine, /process/user/username
TEST_CASE("unknown members and other platforms are ignored", "[spec][read]") {
  const auto spec = read(R"({"ociVersion": "1.0.0", "windows": 7, "vm": {"kernel": false}, "future": [1.5],
                             "solaris": {"milestone": 2}, "zos": [], "freebsd": "jail",
                             "process": {"cwd": "/", "commandLine": 1, "user": {"username": 2}}})");

  INFO(message_of(spec));
  CHECK(spec.has_value());
}

TEST_CASE("of two members with one name the last counts, as Go's decoder has it", "[spec][read]") {
  const auto spec = read(R"({"ociVersion": "1.0.0", "hostname": "a", "hostname": "b"})");

  REQUIRE(spec.has_value());
  CHECK(spec.value().hostname == "b");
}

TEST_CASE("a process without user runs as 0:0", "[spec][read]") {
  const auto process = read_process(R"({"cwd": "/", "args": ["true"]})");

  REQUIRE(process.has_value());
  CHECK(process.value().user.uid == 0);
  CHECK(process.value().user.gid == 0);
  CHECK_FALSE(process.value().user.umask.has_value());
}

TEST_CASE("a process file is read with pointers relative to it", "[spec][read]") {
  CHECK(message_of(read_process(R"({"cwd": "/", "args": [1]})")) ==
        "/args/0: must be a string, not a number");
  CHECK(read_mounts(R"([{"destination": "/a"}, {"destination": "/b"}])").value()[1].destination == "/b");
  CHECK(read_mounts("[]").value().empty());
  CHECK(message_of(read_mounts("{}")) == "/mounts: must be an array, not an object");
  CHECK(message_of(read_mounts(R"([{"destination": 1}])")) ==
        "/mounts/0/destination: must be a string, not a number");
  CHECK(message_of(read_process("[]")) == "the process object: must be an object, not an array");
  CHECK(message_of(read_process(R"({"args": ["true"]})")) == "/cwd: is required");
}

TEST_CASE("a resources file is read with pointers relative to it", "[spec][read]") {
  const auto resources =
      read_resources(R"({"memory": {"limit": 1048576}, "unified": {"memory.high": "max"}})");

  REQUIRE(resources.has_value());
  CHECK(resources.value().memory->limit == 1048576);
  CHECK(resources.value().unified.at("memory.high") == "max");
  CHECK(message_of(read_resources(R"({"memory": {"limit": "1M"}})")) ==
        "/memory/limit: must be an integer, not a string");
  CHECK(message_of(read_resources("")) == "the resources object: is empty, not JSON");
}

TEST_CASE("a deeply nested document is refused, not followed", "[spec][read]") {
  const std::string open(100'000, '[');
  const std::string close(100'000, ']');

  CHECK(message_of(read(open + close)) == "config.json: is nested deeper than 1000 levels");
  CHECK(message_of(read(R"({"ociVersion": "1.0.0", "x": )" + open + close + "}")) ==
        "config.json: is nested deeper than 1000 levels");
  CHECK_FALSE(read(open).has_value());
}
