#!/usr/bin/env python3
"""A client of the interface between Kubernetes and its engines (CRI): what a kubelet would ask, in words.

    cri.py WORDS then WORDS then …       $RUNTIME is the handler of the pods

    pod NAME [network] [userns] [sharedpid] [privileged]   run a sandbox: on the host's network, or on one of its own
    create POD NAME [KEY=VALUE …] -- COMMAND …   memory= cpu= pids= user= readonly=1 privileged=1 tty=1 caps= seccomp=none mount= node=pid
    start NAME · exec NAME COMMAND … · update NAME KEY=VALUE … · stats NAME · podstats POD · status NAME
    wait NAME · logs NAME · stop NAME [SECONDS] · remove NAME · gone POD · clean
"""

import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True

DEFINITION = pathlib.Path("/usr/share/gocode/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto")
MADE = pathlib.Path("/var/tmp/engines/cri")
LOGS = pathlib.Path("/var/tmp/engines/logs")
SOCKET = "unix:///run/containerd/containerd.sock"
IMAGE = "docker.io/library/busybox:latest"


def make_stubs():
    """From the interface's definition, less what concerns another language's code."""
    if (MADE / "api_pb2_grpc.py").exists():
        return
    MADE.mkdir(parents=True, exist_ok=True)
    lines = [line for line in DEFINITION.read_text().splitlines() if "gogo.proto" not in line and not line.startswith("option (gogo")]
    (MADE / "api.proto").write_text("\n".join(lines))
    words = [sys.executable, "-m", "grpc_tools.protoc", f"-I{MADE}", f"--python_out={MADE}", f"--grpc_python_out={MADE}", "api.proto"]
    subprocess.run(words, check=True)


class Client:
    def __init__(self):
        sys.path.insert(0, str(MADE))
        import api_pb2
        import api_pb2_grpc
        import grpc

        self.api = api_pb2
        self.service = api_pb2_grpc.RuntimeServiceStub(grpc.insecure_channel(SOCKET))

    def id_of(self, name):
        found = [one.id for one in self.service.ListContainers(self.api.ListContainersRequest()).containers if one.metadata.name == name]
        return found[0] if found else sys.exit(f"there is no container {name}")

    def pod_of(self, name):
        for pod in self.service.ListPodSandbox(self.api.ListPodSandboxRequest()).items:
            if pod.metadata.name == name:
                return pod.id
        return sys.exit(f"there is no pod {name}")

    def pod_config(self, name, *how):
        mode = self.api.NamespaceMode
        config = self.api.PodSandboxConfig(
            metadata=self.api.PodSandboxMetadata(name=name, uid=name, namespace="rows", attempt=0),
            hostname=name if "network" in how else "", log_directory=str(LOGS / name),
            linux=self.api.LinuxPodSandboxConfig(cgroup_parent="/rows.slice"),
        )
        options = config.linux.security_context.namespace_options
        options.network = mode.POD if "network" in how else mode.NODE
        options.pid = mode.POD if "sharedpid" in how else mode.CONTAINER
        config.linux.security_context.privileged = "privileged" in how
        if "userns" in how:
            ids = [self.api.IDMapping(host_id=200000, container_id=0, length=65536)]
            options.userns_options.CopyFrom(self.api.UserNamespace(mode=mode.POD, uids=ids, gids=ids))
        return config

    def pod(self, name, *how):
        (LOGS / name).mkdir(parents=True, exist_ok=True)
        request = self.api.RunPodSandboxRequest(config=self.pod_config(name, *how), runtime_handler=os.environ["RUNTIME"])
        self.service.RunPodSandbox(request)
        (LOGS / name / "how").write_text(" ".join(how))

    def create(self, pod, name, *words):
        at = words.index("--")
        settings = dict(word.split("=", 1) for word in words[:at])
        config = self.api.ContainerConfig(
            metadata=self.api.ContainerMetadata(name=name, attempt=0), image=self.api.ImageSpec(image=IMAGE),
            command=words[at + 1 :], log_path=f"{name}.log", tty=settings.get("tty") == "1",
        )
        self.describe(config, settings)
        how = (LOGS / pod / "how").read_text().split()
        sandbox = self.pod_config(pod, *how)
        config.linux.security_context.namespace_options.CopyFrom(sandbox.linux.security_context.namespace_options)
        if "node" in settings:
            config.linux.security_context.namespace_options.pid = self.api.NamespaceMode.NODE
        request = self.api.CreateContainerRequest(pod_sandbox_id=self.pod_of(pod), config=config, sandbox_config=sandbox)
        self.service.CreateContainer(request)

    def describe(self, config, settings):
        config.linux.resources.CopyFrom(self.resources(settings))
        security = config.linux.security_context
        security.readonly_rootfs = "readonly" in settings
        security.privileged = "privileged" in settings
        if "user" in settings:
            security.run_as_user.value = int(settings["user"])
        if "caps" in settings:
            security.capabilities.drop_capabilities.append("ALL")
            security.capabilities.add_capabilities.extend(settings["caps"].split(","))
        if "seccomp" not in settings:
            security.seccomp.profile_type = self.api.SecurityProfile.RuntimeDefault
        if "mount" in settings:
            outside, inside = settings["mount"].split(":")
            config.mounts.append(self.api.Mount(host_path=outside, container_path=inside, readonly=True, recursive_read_only=True))

    def resources(self, settings):
        found = self.api.LinuxContainerResources()
        if "memory" in settings:
            found.memory_limit_in_bytes = int(settings["memory"])
        if "cpu" in settings:
            found.cpu_period, found.cpu_quota = 100000, int(settings["cpu"])
        if "pids" in settings:
            found.unified["pids.max"] = settings["pids"]
        return found

    def start(self, name):
        self.service.StartContainer(self.api.StartContainerRequest(container_id=self.id_of(name)))

    def run(self, pod, name, *words):
        self.create(pod, name, *words)
        self.start(name)

    def exec(self, name, *command):
        answer = self.service.ExecSync(self.api.ExecSyncRequest(container_id=self.id_of(name), cmd=command, timeout=30))
        print((answer.stdout + answer.stderr).decode(), end="")
        print(f"exec ended with {answer.exit_code}")

    def update(self, name, *words):
        settings = dict(word.split("=", 1) for word in words)
        request = self.api.UpdateContainerResourcesRequest(container_id=self.id_of(name), linux=self.resources(settings))
        self.service.UpdateContainerResources(request)

    def stats(self, name):
        print(self.service.ContainerStats(self.api.ContainerStatsRequest(container_id=self.id_of(name))).stats)

    def podstats(self, name):
        print(self.service.PodSandboxStats(self.api.PodSandboxStatsRequest(pod_sandbox_id=self.pod_of(name))).stats)

    def status(self, name):
        told = self.service.ContainerStatus(self.api.ContainerStatusRequest(container_id=self.id_of(name))).status
        print(f"{self.api.ContainerState.Name(told.state)} {told.exit_code} {told.reason} {told.message}")

    def wait(self, name):
        asked = self.api.ContainerStatusRequest(container_id=self.id_of(name))
        while self.service.ContainerStatus(asked).status.state != self.api.CONTAINER_EXITED:
            time.sleep(0.2)

    def logs(self, name):
        for path in LOGS.glob(f"*/{name}.log"):
            print(path.read_text(), end="")

    def stop(self, name, seconds="0"):
        self.service.StopContainer(self.api.StopContainerRequest(container_id=self.id_of(name), timeout=int(seconds)))

    def remove(self, name):
        self.service.RemoveContainer(self.api.RemoveContainerRequest(container_id=self.id_of(name)))

    def gone(self, pod):
        identity = self.pod_of(pod)
        self.service.StopPodSandbox(self.api.StopPodSandboxRequest(pod_sandbox_id=identity))
        self.service.RemovePodSandbox(self.api.RemovePodSandboxRequest(pod_sandbox_id=identity))

    def clean(self):
        for pod in self.service.ListPodSandbox(self.api.ListPodSandboxRequest()).items:
            self.gone(pod.metadata.name)

    def handlers(self):
        for one in self.service.Status(self.api.StatusRequest()).runtime_handlers:
            if one.name == os.environ["RUNTIME"]:
                features = one.features
                print(f"handler {one.name}: user namespaces {features.user_namespaces}, recursive read-only {features.recursive_read_only_mounts}")


def main():
    make_stubs()
    client = Client()
    words = sys.argv[1:] + ["then"]
    while words:
        at = words.index("then")
        verb, *rest = words[:at]
        words = words[at + 1 :]
        try:
            getattr(client, verb)(*rest)
        except Exception as error:
            print(f"{verb}: {getattr(error, 'details', lambda: error)()}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
