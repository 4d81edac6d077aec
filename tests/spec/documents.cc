#include "tests/spec/documents.h"

namespace capsule::spec {
namespace {

constexpr std::string_view kProcess = R"({
  "terminal": true,
  "consoleSize": {"height": 25, "width": 80},
  "user": {"uid": 7, "gid": 8, "umask": 18, "additionalGids": [9, 10]},
  "args": ["sh", "-c", ""],
  "env": ["PATH=/bin", "EMPTY="],
  "cwd": "/work",
  "capabilities": {
    "bounding": ["CAP_CHOWN"], "effective": ["CAP_KILL"], "inheritable": ["CAP_FOWNER"],
    "permitted": ["CAP_SETUID"], "ambient": ["CAP_UNHEARD_OF"]
  },
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 1024}],
  "noNewPrivileges": true,
  "apparmorProfile": "acme",
  "oomScoreAdj": 0,
  "scheduler": {
    "policy": "SCHED_DEADLINE", "nice": -5, "priority": 0, "flags": ["SCHED_FLAG_RECLAIM"],
    "runtime": 1000, "deadline": 2000, "period": 3000
  },
  "selinuxLabel": "system_u:system_r:svirt_lxc_net_t:s0:c124,c675",
  "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
  "execCPUAffinity": {"initial": "0-3,7", "final": "4"}
})";

constexpr std::string_view kHooks = R"({
  "prestart": [{"path": "/h/prestart", "args": ["h", "1"], "env": ["A=1"], "timeout": 5}],
  "createRuntime": [{"path": "/h/createRuntime"}],
  "createContainer": [{"path": "/h/createContainer", "env": []}],
  "startContainer": [{"path": "/h/startContainer"}],
  "poststart": [{"path": "/h/poststart"}],
  "poststop": [{"path": "/h/poststop"}]
})";

constexpr std::string_view kResources = R"({
  "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "rw"}],
  "memory": {
    "limit": 536870912, "reservation": -1, "swap": 9223372036854775807, "kernel": 1, "kernelTCP": 2, "swappiness": 60,
    "disableOOMKiller": false, "useHierarchy": true, "checkBeforeUpdate": true
  },
  "cpu": {
    "shares": 1024, "quota": -1, "burst": 5, "period": 100000, "realtimeRuntime": 950000, "realtimePeriod": 1000000,
    "cpus": "2-3", "mems": "0-7", "idle": 1
  },
  "pids": {"limit": 0},
  "blockIO": {
    "weight": 10, "leafWeight": 11,
    "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}, {"major": 8, "minor": 16, "weight": 0}],
    "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
    "throttleWriteBpsDevice": [{"major": 8, "minor": 1, "rate": 601}],
    "throttleReadIOPSDevice": [{"major": 8, "minor": 2, "rate": 602}],
    "throttleWriteIOPSDevice": [{"major": 8, "minor": 3, "rate": 603}]
  },
  "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854772000}],
  "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
  "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "rxe3": {}},
  "unified": {"memory.high": "1073741824", "io.max": "259:0 rbps=2097152 wiops=120"}
})";

constexpr std::string_view kSeccomp = R"({
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": 38,
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_RISCV64"],
  "flags": [],
  "listenerPath": "/run/agent.sock",
  "listenerMetadata": "opaque",
  "syscalls": [
    {"names": ["getcwd", "chmod"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 22,
     "args": [{"index": 5, "value": 18446744073709551615, "valueTwo": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["mount"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]}
  ]
})";

constexpr std::string_view kLinux = R"(
  "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
  "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 4294767294}],
  "sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "4096", "user.max_net_namespaces": "9"},
  "cgroupsPath": "/acme/web",
  "namespaces": [
    {"type": "pid", "path": "/proc/1234/ns/pid"}, {"type": "network"}, {"type": "mount"}, {"type": "ipc"},
    {"type": "uts"}, {"type": "user"}, {"type": "cgroup"}, {"type": "time"}
  ],
  "devices": [
    {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 3, "gid": 4},
    {"path": "/run/pipe", "type": "p"}
  ],
  "netDevices": {"eth0": {}, "ens4": {"name": "net1"}},
  "rootfsPropagation": "slave",
  "maskedPaths": ["/proc/kcore"],
  "readonlyPaths": ["/proc/sys"],
  "mountLabel": "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811",
  "intelRdt": {
    "closID": "guaranteed", "schemata": ["L3:0=f"], "l3CacheSchema": "L3:0=7f0;1=1f", "memBwSchema": "MB:0=20;1=70",
    "enableMonitoring": true
  },
  "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1,3", "flags": ["MPOL_F_STATIC_NODES"]},
  "personality": {"domain": "LINUX32", "flags": ["UNHEARD_OF"]},
  "timeOffsets": {"monotonic": {"secs": 172800, "nanosecs": 999999999}, "boottime": {"secs": -604800}}
)";

constexpr std::string_view kMounts = R"([
  {"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/data", "type": "bind", "source": "/volumes/testing", "options": ["rbind", "ro", "rw"],
   "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
   "gidMappings": [{"containerID": 0, "hostID": 1001, "size": 2}]}
])";

}  // namespace

std::string full_document() {
  std::string text = R"({"ociVersion": "1.3.0", "process": )";
  text.append(kProcess);
  text.append(
      R"(, "root": {"path": "rootfs", "readonly": true}, "hostname": "slartibartfast", "domainname": "example.org")");
  text.append(R"(, "mounts": )").append(kMounts).append(R"(, "hooks": )").append(kHooks);
  text.append(R"(, "annotations": {"com.example.gpu-cores": "2", "umlaut": "ü"}, "linux": {)").append(kLinux);
  text.append(R"(, "resources": )").append(kResources).append(R"(, "seccomp": )").append(kSeccomp);
  return text.append("}}");
}

Spec minimal_spec() {
  Spec spec;
  spec.oci_version = "1.0.0";
  spec.root = Root{.path = "rootfs", .readonly = false};
  spec.linux = Linux{};
  return spec;
}

}  // namespace capsule::spec
