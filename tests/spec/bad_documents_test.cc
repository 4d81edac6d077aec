// Documents that must be refused: the error names the place and says in one sentence what is wrong there.
#include <array>

#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

struct BadPart {
  const char* part;     // of the document: what replaces `%` in kFrames
  const char* message;  // all of it
  const char* because;
};

template <std::size_t N>
void check_all(const std::string& before, const std::array<BadPart, N>& table, const std::string& after) {
  for (const BadPart& bad : table) {
    const std::string document = before + bad.part + after;
    INFO(bad.because << ": " << document);
    CHECK(message_of(read(document)) == bad.message);
  }
}

}  // namespace

TEST_CASE("what is not JSON is refused with line and column", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{"", "config.json: is empty, not JSON", "nothing"},
      BadPart{" \n\t", "config.json: is empty, not JSON", "only blanks"},
      BadPart{"{", "config.json: is not valid JSON: it ends too early at line 1, column 2", "cut off"},
      BadPart{"{\"a\":\n  tru}", "config.json: is not valid JSON at line 2, column 6, near \"tru}\"",
              "no literal"},
      BadPart{"{}\n{}", "config.json: is not valid JSON at line 2, column 1, near \"{\"", "two documents"},
      BadPart{"{\"a\": 1,}", "config.json: is not valid JSON at line 1, column 9, near \"{\\\"a\\\": 1,}\"",
              "trailing comma"},
      BadPart{"{} // x", "config.json: is not valid JSON at line 1, column 4, near \"{} /\"", "a comment"},
      BadPart{"{\"a\": 1e999}",
              "config.json: is not valid JSON at line 1, column 11, near \"{\\\"a\\\": 1e999\"", "no double"},
      BadPart{"{\"a\": 01}", "config.json: is not valid JSON at line 1, column 8, near \"{\\\"a\\\": 01\"",
              "leading zero"},
      BadPart{"not json", "config.json: is not valid JSON at line 1, column 2, near \"no\"", "prose"},
      BadPart{"[]", "config.json: must be an object, not an array", "the wrong kind"},
      BadPart{"null", "config.json: must be an object, not null", "nothing in JSON"},
      BadPart{"\"text\"", "config.json: must be an object, not a string", "the wrong kind"},
  };
  check_all("", kBad, "");
}

TEST_CASE("text that is not UTF-8 is refused, and not repeated", "[spec][bad]") {
  CHECK(message_of(read("{\"hostname\": \"\xff\"}")) ==
        "config.json: is not valid JSON at line 1, column 15, near \"{\\\"hostname\\\": \\\"?\"");
}

TEST_CASE("a null byte is no end of a document", "[spec][bad]") {
  CHECK(message_of(read(std::string_view("{}\0", 3))) ==
        "config.json: is not valid JSON: it contains a null byte");
}

TEST_CASE("a long line is quoted only in part", "[spec][bad]") {
  const std::string message = message_of(read("{" + std::string(100'000, ' ') + "x"));

  CHECK(message == "config.json: is not valid JSON at line 1, column 100002, near \"x\"");
  CHECK(message_of(read("\"" + std::string(100'000, 'a') + "\n")).size() < 120);
}

TEST_CASE("wrong members of the top level are named", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{R"("hostname": "x")", "/ociVersion: is required", "the one member that is always demanded"},
      BadPart{R"("ociVersion": 1.0)", "/ociVersion: must be a string, not a number", "a version is text"},
      BadPart{R"("ociVersion": null)", "/ociVersion: is required", "null is absent"},
      BadPart{R"("ociVersion": "1.0.0", "root": "rootfs")", "/root: must be an object, not a string", "type"},
      BadPart{R"("ociVersion": "1.0.0", "root": {})", "/root/path: is required", "where is it?"},
      BadPart{R"("ociVersion": "1.0.0", "root": {"path": 7})", "/root/path: must be a string, not a number",
              "type"},
      BadPart{R"("ociVersion": "1.0.0", "root": {"path": "r\u0000x"})",
              "/root/path: must not contain a null byte", "the kernel would see r"},
      BadPart{R"("ociVersion": "1.0.0", "root": {"path": "r", "readonly": "yes"})",
              "/root/readonly: must be a boolean, not a string", "type"},
      BadPart{R"("ociVersion": "1.0.0", "root": {"path": "r", "readonly": 1})",
              "/root/readonly: must be a boolean, not a number", "1 is not true"},
      BadPart{R"("ociVersion": "1.0.0", "hostname": 1)", "/hostname: must be a string, not a number", "type"},
      BadPart{R"("ociVersion": "1.0.0", "domainname": {})", "/domainname: must be a string, not an object",
              "type"},
      BadPart{R"("ociVersion": "1.0.0", "process": [])", "/process: must be an object, not an array", "type"},
      BadPart{R"("ociVersion": "1.0.0", "mounts": {})", "/mounts: must be an array, not an object", "type"},
      BadPart{R"("ociVersion": "1.0.0", "hooks": [])", "/hooks: must be an object, not an array", "type"},
      BadPart{R"("ociVersion": "1.0.0", "linux": true)", "/linux: must be an object, not a boolean", "type"},
      BadPart{R"("ociVersion": "1.0.0", "annotations": [])", "/annotations: must be an object, not an array",
              "type"},
      BadPart{R"("ociVersion": "1.0.0", "annotations": {"a": 1})",
              "/annotations/a: must be a string, not a number", "values are text"},
      BadPart{R"("ociVersion": "1.0.0", "annotations": {"a/b~c": null})",
              "/annotations/a~1b~0c: must be a string, not null", "keys are escaped as RFC 6901 says"},
      BadPart{R"("ociVersion": "1.0.0", "annotations": {"a\u001b[31m": 1})",
              "/annotations/a\\x1b[31m: must be a string, not a number",
              "a key must not colour the terminal"},
      BadPart{R"("ociVersion": "1.0.0", "annotations": {"a\u0000b": "1"})",
              "/annotations: must not have a null byte in a name", "names become C strings, too"},
  };
  check_all("{", kBad, "}");
}

TEST_CASE("wrong members of mounts and hooks are named", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{R"("mounts": ["/proc"])", "/mounts/0: must be an object, not a string", "type"},
      BadPart{R"("mounts": [null])", "/mounts/0: must be an object, not null", "an element is never absent"},
      BadPart{R"("mounts": [{"destination": "/a"}, {"type": "tmpfs"}])", "/mounts/1/destination: is required",
              "where to?"},
      BadPart{R"("mounts": [{"destination": "/a", "options": "ro"}])",
              "/mounts/0/options: must be an array, not a string", "type"},
      BadPart{R"("mounts": [{"destination": "/a", "options": ["ro", 1]}])",
              "/mounts/0/options/1: must be a string, not a number", "type"},
      BadPart{R"("mounts": [{"destination": "/a", "type": 1}])",
              "/mounts/0/type: must be a string, not a number", "type"},
      BadPart{R"("mounts": [{"destination": "/a", "source": []}])",
              "/mounts/0/source: must be a string, not an array", "type"},
      BadPart{R"("mounts": [{"destination": "/a", "uidMappings": [{"containerID": 0, "hostID": 0}]}])",
              "/mounts/0/uidMappings/0/size: is required", "how many?"},
      BadPart{R"("hooks": {"prestart": {}})", "/hooks/prestart: must be an array, not an object", "type"},
      BadPart{R"("hooks": {"poststop": [{"args": []}]})", "/hooks/poststop/0/path: is required", "run what?"},
      BadPart{R"("hooks": {"poststart": [{"path": "/h", "timeout": "5s"}]})",
              "/hooks/poststart/0/timeout: must be an integer, not a string", "a number of seconds"},
      BadPart{R"("hooks": {"createRuntime": [{"path": "/h", "timeout": 2147483648}]})",
              "/hooks/createRuntime/0/timeout: must be between -2147483648 and 2147483647", "too long"},
      BadPart{R"("hooks": {"createContainer": [{"path": "/h", "env": {"A": "1"}}]})",
              "/hooks/createContainer/0/env: must be an array, not an object", "type"},
      BadPart{R"("hooks": {"startContainer": [{"path": "/h", "args": [null]}]})",
              "/hooks/startContainer/0/args/0: must be a string, not null", "type"},
  };
  check_all(R"({"ociVersion": "1.0.0", )", kBad, "}");
}

TEST_CASE("wrong members of process are named", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{R"("args": "true")", "/process/args: must be an array, not a string", "type"},
      BadPart{R"("args": ["echo", 1])", "/process/args/1: must be a string, not a number", "type"},
      BadPart{R"("args": ["a\u0000b"])", "/process/args/0: must not contain a null byte",
              "execve would see a"},
      BadPart{R"("env": {"PATH": "/bin"})", "/process/env: must be an array, not an object", "type"},
      BadPart{R"("terminal": "no")", "/process/terminal: must be a boolean, not a string", "type"},
      BadPart{R"("noNewPrivileges": 0)", "/process/noNewPrivileges: must be a boolean, not a number",
              "0 is not false"},
      BadPart{R"("consoleSize": {"height": 25})", "/process/consoleSize/width: is required", "both or none"},
      BadPart{R"("consoleSize": {"height": 65536, "width": 1})",
              "/process/consoleSize/height: must be between 0 and 65535", "struct winsize has 16 bits"},
      BadPart{R"("user": {"uid": "root"})", "/process/user/uid: must be an integer, not a string",
              "ids are numbers"},
      BadPart{R"("user": {"uid": -1})", "/process/user/uid: must be between 0 and 4294967295",
              "would become 2^32-1"},
      BadPart{R"("user": {"gid": 4294967296})", "/process/user/gid: must be between 0 and 4294967295",
              "would become 0"},
      BadPart{R"("user": {"gid": 0.5})",
              "/process/user/gid: must be an integer, not a number with a fraction or an exponent",
              "no such id"},
      BadPart{R"("user": {"umask": "022"})", "/process/user/umask: must be an integer, not a string", "type"},
      BadPart{R"("user": {"additionalGids": [5, -6]})",
              "/process/user/additionalGids/1: must be between 0 and 4294967295", "range"},
      BadPart{R"("user": [])", "/process/user: must be an object, not an array", "type"},
      BadPart{R"("capabilities": ["CAP_KILL"])", "/process/capabilities: must be an object, not an array",
              "specification 0.x wrote a list"},
      BadPart{R"("capabilities": {"ambient": {}})",
              "/process/capabilities/ambient: must be an array, not an object", "type"},
      BadPart{R"("rlimits": {"soft": 1})", "/process/rlimits: must be an array, not an object", "type"},
      BadPart{R"("rlimits": [{"type": "RLIMIT_CORE", "soft": 1}])", "/process/rlimits/0/hard: is required",
              "both limits"},
      BadPart{R"("rlimits": [{"type": "RLIMIT_CORE", "soft": -1, "hard": 1}])",
              "/process/rlimits/0/soft: must be between 0 and 18446744073709551615", "infinity is not -1"},
      BadPart{R"("rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 18446744073709551616}])",
              "/process/rlimits/0/hard: must be between 0 and 18446744073709551615", "2^64"},
      BadPart{R"("oomScoreAdj": 1e2)",
              "/process/oomScoreAdj: must be an integer, not a number with a fraction or an exponent",
              "Go refuses it, too"},
      BadPart{R"("scheduler": "SCHED_RR")", "/process/scheduler: must be an object, not a string", "type"},
      BadPart{R"("scheduler": {"policy": "SCHED_RR", "priority": 1.0})",
              "/process/scheduler/priority: must be an integer, not a number with a fraction or an exponent",
              "1.0"},
      BadPart{R"("ioPriority": {"priority": 4})", "/process/ioPriority/class: is required", "which class?"},
      BadPart{R"("execCPUAffinity": {"initial": 3})",
              "/process/execCPUAffinity/initial: must be a string, not a number", "a list is text"},
      BadPart{R"("apparmorProfile": false)", "/process/apparmorProfile: must be a string, not a boolean",
              "type"},
      BadPart{R"("cwd": 1)", "/process/cwd: must be a string, not a number", "the last of two counts"},
      BadPart{R"("cwd": null)", "/process/cwd: is required", "the last of two counts"},
  };
  check_all(R"({"ociVersion": "1.0.0", "process": {"cwd": "/", )", kBad, "}}");
}

TEST_CASE("wrong members of linux are named", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{R"("namespaces": {})", "/linux/namespaces: must be an array, not an object", "type"},
      BadPart{R"("namespaces": [{"path": "/x"}])", "/linux/namespaces/0/type: is required", "of which type?"},
      BadPart{R"("namespaces": [{"type": "pid"}, {"type": "mnt"}])",
              "/linux/namespaces/1/type: namespace \"mnt\" does not exist",
              "mnt is the kernel's name, mount the specification's"},
      BadPart{R"("namespaces": [{"type": "ipc", "path": "/a\u0000"}])",
              "/linux/namespaces/0/path: must not contain a null byte", "two paths in one"},
      BadPart{R"("uidMappings": [{"containerID": 0, "hostID": -1, "size": 1}])",
              "/linux/uidMappings/0/hostID: must be between 0 and 4294967295", "range"},
      BadPart{R"("gidMappings": [{"hostID": 1, "size": 1}])", "/linux/gidMappings/0/containerID: is required",
              "from where?"},
      BadPart{R"("timeOffsets": {"boottime": 7})",
              "/linux/timeOffsets/boottime: must be an object, not a number", "type"},
      BadPart{
          R"("timeOffsets": {"boottime": {"secs": 9223372036854775808}})",
          "/linux/timeOffsets/boottime/secs: must be between -9223372036854775808 and 9223372036854775807",
          "2^63"},
      BadPart{
          R"("timeOffsets": {"boottime": {"secs": -9223372036854775809}})",
          "/linux/timeOffsets/boottime/secs: must be between -9223372036854775808 and 9223372036854775807",
          "-2^63-1"},
      BadPart{R"("devices": [{"type": "c", "major": 1, "minor": 3}])", "/linux/devices/0/path: is required",
              "where to?"},
      BadPart{R"("devices": [{"path": "/dev/x", "major": 1, "minor": 3}])",
              "/linux/devices/0/type: is required", "which?"},
      BadPart{R"("devices": [{"path": "/dev/x", "type": "c", "major": "1", "minor": 3}])",
              "/linux/devices/0/major: must be an integer, not a string", "type"},
      BadPart{R"("devices": [{"path": "/dev/x", "type": "c", "fileMode": "0666"}])",
              "/linux/devices/0/fileMode: must be an integer, not a string", "JSON has no octal numbers"},
      BadPart{R"("netDevices": ["eth0"])", "/linux/netDevices: must be an object, not an array", "type"},
      BadPart{R"("netDevices": {"eth0": "net0"})", "/linux/netDevices/eth0: must be an object, not a string",
              "type"},
      BadPart{R"("cgroupsPath": 7)", "/linux/cgroupsPath: must be a string, not a number", "type"},
      BadPart{R"("sysctl": {"net.core.somaxconn": 1})",
              "/linux/sysctl/net.core.somaxconn: must be a string, not a number", "kernel files take text"},
      BadPart{R"("maskedPaths": "/proc/kcore")", "/linux/maskedPaths: must be an array, not a string",
              "type"},
      BadPart{R"("readonlyPaths": [[]])", "/linux/readonlyPaths/0: must be a string, not an array", "type"},
      BadPart{R"("rootfsPropagation": 1)", "/linux/rootfsPropagation: must be a string, not a number",
              "type"},
      BadPart{R"("mountLabel": {})", "/linux/mountLabel: must be a string, not an object", "type"},
      BadPart{R"("intelRdt": {"schemata": "L3:0=f"})",
              "/linux/intelRdt/schemata: must be an array, not a string", "1.3.0"},
      BadPart{R"("intelRdt": {"enableMonitoring": "yes"})",
              "/linux/intelRdt/enableMonitoring: must be a boolean, not a string", "type"},
      BadPart{R"("memoryPolicy": {"nodes": "0"})", "/linux/memoryPolicy/mode: is required", "which?"},
      BadPart{R"("memoryPolicy": {"mode": "MPOL_BIND", "nodes": 0})",
              "/linux/memoryPolicy/nodes: must be a string, not a number", "a list is text"},
      BadPart{R"("personality": {})", "/linux/personality/domain: is required", "which?"},
      BadPart{R"("seccomp": {"syscalls": [{"names": ["x"]}]})",
              "/linux/seccomp/syscalls/0/action: is required", "do what?"},
      BadPart{R"("seccomp": {"syscalls": [{"names": "x", "action": "y"}]})",
              "/linux/seccomp/syscalls/0/names: must be an array, not a string", "type"},
      BadPart{
          R"("seccomp": {"syscalls": [{"names": ["x"], "action": "y", "args": [{"index": 0, "value": 1}]}]})",
          "/linux/seccomp/syscalls/0/args/0/op: is required", "compare how?"},
      BadPart{
          R"("seccomp": {"syscalls": [{"names": ["x"], "action": "y", "args": [{"index": 0, "op": "z"}]}]})",
          "/linux/seccomp/syscalls/0/args/0/value: is required", "compare with what?"},
      BadPart{R"("seccomp": {"defaultAction": 1})",
              "/linux/seccomp/defaultAction: must be a string, not a number", "type"},
      BadPart{R"("seccomp": {"defaultErrnoRet": -1})",
              "/linux/seccomp/defaultErrnoRet: must be between 0 and 4294967295", "range"},
      BadPart{R"("seccomp": {"flags": "x"})", "/linux/seccomp/flags: must be an array, not a string", "type"},
  };
  check_all(R"({"ociVersion": "1.0.0", "linux": {)", kBad, "}}");
}

TEST_CASE("wrong members of resources are named", "[spec][bad]") {
  static constexpr std::array kBad = {
      BadPart{R"("devices": [{"access": "rwm"}])", "/linux/resources/devices/0/allow: is required",
              "allow or deny?"},
      BadPart{R"("devices": [{"allow": "yes"}])",
              "/linux/resources/devices/0/allow: must be a boolean, not a string", "type"},
      BadPart{R"("memory": {"limit": "512m"})",
              "/linux/resources/memory/limit: must be an integer, not a string", "bytes"},
      BadPart{
          R"("memory": {"limit": 1e9})",
          "/linux/resources/memory/limit: must be an integer, not a number with a fraction or an exponent",
          "Go's decoder refuses it, so no engine writes it"},
      BadPart{R"("memory": {"swap": 9223372036854775808})",
              "/linux/resources/memory/swap: must be between -9223372036854775808 and 9223372036854775807",
              "2^63"},
      BadPart{R"("memory": {"swap": 1e30})",
              "/linux/resources/memory/swap: must be between -9223372036854775808 and 9223372036854775807",
              "too much"},
      BadPart{R"("memory": {"swappiness": -1})",
              "/linux/resources/memory/swappiness: must be between 0 and 18446744073709551615", "unsigned"},
      BadPart{R"("cpu": {"shares": -1})",
              "/linux/resources/cpu/shares: must be between 0 and 18446744073709551615", "unsigned"},
      BadPart{R"("cpu": {"quota": 0.5})",
              "/linux/resources/cpu/quota: must be an integer, not a number with a fraction or an exponent",
              "half a processor is 50000 of 100000"},
      BadPart{R"("cpu": {"cpus": 3})", "/linux/resources/cpu/cpus: must be a string, not a number",
              "a list is text"},
      BadPart{R"("pids": 10)", "/linux/resources/pids: must be an object, not a number", "type"},
      BadPart{R"("pids": {"limit": "10"})", "/linux/resources/pids/limit: must be an integer, not a string",
              "type"},
      BadPart{R"("blockIO": {"weight": 65536})",
              "/linux/resources/blockIO/weight: must be between 0 and 65535", "16 bits"},
      BadPart{R"("blockIO": {"throttleReadIOPSDevice": [{"major": 8, "rate": 1}]})",
              "/linux/resources/blockIO/throttleReadIOPSDevice/0/minor: is required", "which device?"},
      BadPart{R"("blockIO": {"throttleWriteBpsDevice": [{"major": 8, "minor": 0}]})",
              "/linux/resources/blockIO/throttleWriteBpsDevice/0/rate: is required", "how fast?"},
      BadPart{R"("blockIO": {"weightDevice": [{"minor": 0}]})",
              "/linux/resources/blockIO/weightDevice/0/major: is required", "which device?"},
      BadPart{R"("hugepageLimits": [{"limit": 1}])",
              "/linux/resources/hugepageLimits/0/pageSize: is required", "which size?"},
      BadPart{R"("hugepageLimits": {"2MB": 1})",
              "/linux/resources/hugepageLimits: must be an array, not an object", "type"},
      BadPart{R"("network": {"priorities": [{"name": "eth0"}]})",
              "/linux/resources/network/priorities/0/priority: is required", "which priority?"},
      BadPart{R"("rdma": {"mlx5_1": 3})", "/linux/resources/rdma/mlx5_1: must be an object, not a number",
              "type"},
      BadPart{R"("rdma": {"mlx5_1": {"hcaHandles": 4294967296}})",
              "/linux/resources/rdma/mlx5_1/hcaHandles: must be between 0 and 4294967295", "range"},
      BadPart{R"("unified": {"memory.max": 1})",
              "/linux/resources/unified/memory.max: must be a string, not a number",
              "kernel files take text"},
  };
  check_all(R"({"ociVersion": "1.0.0", "linux": {"resources": {)", kBad, "}}}");
}
