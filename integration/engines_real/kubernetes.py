#!/usr/bin/env python3
"""Runs in the guest with Kubernetes: makes a cluster of one node, follows docs/engines/kubernetes.md, and does the table's
actions with capsule, crun and runc as the handlers of pods.

    kubernetes.py RESULTS.json [--runtimes capsule,crun,runc] [-k PATTERN]
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import engines
import main
import pages
import rows
from engines import sh

ADDRESS = "10.99.0.1"
MADE = pathlib.Path("/var/tmp/cluster")
KUBECONFIG = MADE / "kubeconfig"
CONFIGURATION = pathlib.Path("/etc/containerd/config.toml")
CRI = 'plugins."io.containerd.grpc.v1.cri"'
STATES = "/run/containerd/runc/k8s.io"

# Everybody is trusted here: who may do what is no affair of a runtime.
CLIENT = f"""apiVersion: v1
kind: Config
current-context: here
clusters: [{{name: here, cluster: {{server: "https://{ADDRESS}:6443", insecure-skip-tls-verify: true}}}}]
contexts: [{{name: here, context: {{cluster: here, user: admin}}}}]
users: [{{name: admin, user: {{token: secret}}}}]
"""
KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
failSwapOn: false
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
resolvConf: ""
"""
# The default of 40 s is short for a node that is emulated.
PATIENCE = "--node-monitor-grace-period=300s --pod-eviction-timeout=600s"


class Service(engines.Daemon):
    patience = 600

    def __init__(self, name, command, ready):
        self.unit, self.command, self.ready = f"cluster-{name}", command, ready


CONTAINERD = Service("containerd", "/usr/bin/containerd", "ctr version")
PLANE = (
    Service("etcd", f"/usr/bin/etcd --data-dir {MADE}/etcd --unsafe-no-fsync", "busybox nc 127.0.0.1 2379 </dev/null"),
    Service(
        "apiserver",
        f"/usr/bin/kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address={ADDRESS} --cert-dir={MADE}/certificates"
        f" --service-cluster-ip-range=10.96.0.0/24 --token-auth-file={MADE}/tokens --authorization-mode=AlwaysAllow --allow-privileged"
        f" --service-account-issuer=https://kubernetes.default.svc --service-account-key-file={MADE}/key"
        f" --service-account-signing-key-file={MADE}/key --kubelet-preferred-address-types=InternalIP",
        "kubectl get --raw /readyz",
    ),
    Service(
        "controllers",
        f"/usr/bin/kube-controller-manager --kubeconfig={KUBECONFIG} --service-account-private-key-file={MADE}/key --leader-elect=false {PATIENCE}",
        "kubectl get serviceaccount default",
    ),
    Service("scheduler", f"/usr/bin/kube-scheduler --kubeconfig={KUBECONFIG} --leader-elect=false", "true"),
)
NODE = Service(
    "kubelet",
    f"/usr/bin/kubelet --config={MADE}/kubelet.yaml --kubeconfig={KUBECONFIG} --container-runtime=remote --node-ip={ADDRESS}"
    " --container-runtime-endpoint=unix:///run/containerd/containerd.sock --hostname-override=node",
    "kubectl wait --for=condition=Ready node/node --timeout=2s && [ -z \"$(kubectl get node node -o jsonpath={.spec.taints})\" ]",
)


class Pods(engines.Engine):
    """What a row may say: `pod` makes one of this handler from the lines that its container has; `reaches` and `told` wait."""

    prelude = """
cd /etc/kubernetes
pod() { {
  printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: %s}\\nspec:\\n  runtimeClassName: %s\\n  restartPolicy: %s\\n' "$N" "$RUNTIME" "${1:-Never}"
  printf '  terminationGracePeriodSeconds: 2\\n  containers:\\n  - name: c\\n    image: %s\\n    imagePullPolicy: IfNotPresent\\n' "$I"
  sed 's/^/    /'
} | kubectl apply -f -; }
reaches() { kubectl wait --for=jsonpath='{.status.phase}'="$1" "pod/$N" --timeout=120s; }
ready() { kubectl wait --for=condition=Ready "pod/$N" --timeout=120s; }
told() { kubectl get pod "$N" -o jsonpath="{.status.containerStatuses[0].$1}{'\\n'}"; }
terminated() { for i in $(seq 120); do told state | grep -q terminated && break; sleep 1; done; told state.terminated; }
gone() { kubectl delete pod "$N" --timeout=120s; }
"""

    def clean(self, runtime):
        sh("kubectl delete pods --all --timeout=120s || kubectl delete pods --all --force --grace-period=0", check=False)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--runtimes", default="capsule,crun,runc")
    parser.add_argument("-k", dest="pattern", default="", help="only actions that this is found in")
    return parser.parse_args()


def step(words):
    print(f"{time.monotonic():7.1f} s  {words}", flush=True)


def make_the_cluster():
    for folder in ("etcd", "certificates"):
        (MADE / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    KUBECONFIG.write_text(CLIENT)
    (MADE / "kubelet.yaml").write_text(KUBELET)
    (MADE / "tokens").write_text("secret,admin,admin,system:masters\n")
    sh(f"openssl genrsa -out {MADE}/key 2048")
    sh(f"ip link add node0 type bridge; ip addr add {ADDRESS}/24 dev node0; ip link set node0 up")
    for service in PLANE:
        service.start()
        step(f"{service.unit} answers")


def make_the_node():
    """With the peers' handlers alone: what a node says that lacks ours comes first."""
    engines.make_image()
    engines.make_a_network_for_pods()
    peers = [lines_for(name) for name in ("crun", "runc")]
    configure([f'[{CRI}]\n  sandbox_image = "{engines.PAUSE}"\n', *peers])
    CONTAINERD.start()
    sh(f"ctr image import {engines.ARCHIVE}; ctr -n k8s.io image import {engines.ARCHIVE}; ctr -n k8s.io image import {engines.ARCHIVE}.pause")
    NODE.start()
    step("the node is ready")
    wait_for_the_description()
    step("the API server has described itself")


def wait_for_the_description():
    """The first to ask for it waits while it is made, in emulation for longer than `kubectl apply` would."""
    for _ in range(10):
        if subprocess.run(["kubectl", "get", "--raw", "/openapi/v2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return
    raise RuntimeError("the API server does not describe itself: kubectl get --raw /openapi/v2")


def lines_of_the_page():
    """What containerd.md wants for containerd 1, less the version that a file begins with."""
    return pages.page("containerd").others[str(CONFIGURATION)].partition("\n")[2]


def lines_for(peer):
    return lines_of_the_page().replace("/usr/bin/capsule", engines.PATHS[peer]).replace("runtimes.capsule", f"runtimes.{peer}")


def configure(sections):
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text("\n".join(["version = 2", *sections]))


def follow_the_page():
    """What was wrong: on a node that lacks the handler, then with it, then once more from the beginning."""
    page = pages.page("kubernetes")
    pages.write_files(page)
    os.chdir("/etc/kubernetes")
    sh("kubectl apply -f capsule.yaml -f hello.yaml")
    awaited = 'no runtime for "capsule" is configured'
    failures = [] if seen_in_events(awaited) else [f"kubernetes.md: no event says: {awaited}"]
    step("the node lacks the handler: " + sh("kubectl get pod hello --no-headers; kubectl get events | grep -m1 'no runtime' || true"))
    CONFIGURATION.write_text(CONFIGURATION.read_text() + lines_of_the_page())
    sh(f"systemctl restart {CONTAINERD.unit}")
    failures += pages.run_commands(pages.page("containerd"))
    sh("kubectl wait --for=jsonpath={.status.phase}=Succeeded pod/hello --timeout=150s")
    step("the node has the handler now: " + sh("kubectl get pod hello --no-headers; kubectl logs hello"))
    sh("kubectl delete -f hello.yaml -f capsule.yaml")
    failures += pages.run_commands(page)
    printed = sh("kubectl logs hello", check=False)
    step(f"page   docs/engines/kubernetes.md: {len(page.commands)} blocks run, {len(failures)} failed; hello's log: {printed}")
    return failures + ([] if printed == "hello\n" else [f"kubernetes.md: hello printed {printed!r}"])


def seen_in_events(text):
    for _ in range(60):
        if text in sh("kubectl get events -o jsonpath='{range .items[*]}{.message}{\"\\n\"}{end}'"):
            return True
        time.sleep(1)
    return False


def add_classes(runtimes):
    for name in runtimes:
        text = pages.page("kubernetes").files["/etc/kubernetes/capsule.yaml"].replace("capsule", name)
        subprocess.run(["kubectl", "apply", "-f", "-"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def try_the_rows(runtimes, pattern):
    engine, results = Pods(), {}
    for number, row in enumerate(rows.of("kubernetes")):
        for runtime in runtimes if re.search(pattern, row.action) else ():
            result = main.attempt(row, engine, runtime, number)
            main.tell("kubernetes", runtime, row, result)
            results.setdefault(f"kubernetes: {row.action}", {})[runtime] = result
            if result["outcome"] == "failed":
                engine.clean(runtime)
    return results


def versions():
    words = {"containerd": "containerd --version", "kubelet": "kubelet --version", "kubectl": "kubectl version --client | head -n 1",
             "crun": "crun --version", "runc": "runc --version", "capsule": "capsule --version", "kernel": "uname -r"}
    return {name: sh(command).splitlines()[0] for name, command in words.items()}


def run():
    options = arguments()
    runtimes = options.runtimes.split(",")
    os.environ |= {"HOME": "/root", "KUBECONFIG": str(KUBECONFIG), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    shutil.copy(main.BINARY, engines.PATHS["capsule"])
    make_the_cluster()
    make_the_node()
    failures = follow_the_page()
    add_classes(runtimes)
    results = try_the_rows(runtimes, options.pattern)
    options.results.write_text(json.dumps({"versions": versions(), "pages": failures, "rows": results}, indent=1))
    for failure in failures:
        print(f"FAILED the page {failure}", flush=True)
    wrong = [one for row in results.values() for name, one in row.items() if name == "capsule" and one["outcome"] == "failed"]
    return 1 if failures or wrong else 0


if __name__ == "__main__":
    sys.exit(run())
