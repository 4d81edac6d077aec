"""How each engine is made ready for one runtime, and put away again."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import pages

IMAGE = "docker.io/library/busybox:latest"
TREE = pathlib.Path("/var/tmp/engines/rootfs")
TAR = TREE.parent / "busybox.tar"
PAUSE = "localhost/pause:latest"  # what the processes of a pod's sandbox are
ARCHIVE = TREE.parent / "busybox.oci"
PATHS = {"capsule": "/usr/bin/capsule", "crun": "/usr/bin/crun", "runc": "/usr/sbin/runc"}
USER = "tester"


def sh(script, check=True, deadline=180, **more):
    ended = subprocess.run(
        ["sh", "-euc", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=deadline, **more,
    )
    if check and ended.returncode:
        raise RuntimeError(f"{script}: ended with {ended.returncode}: {ended.stdout[-1500:]}")
    return ended.stdout


def make_image():
    """busybox with a link for each applet: an archive that every engine imports, without a registry."""
    for folder in ("bin", "etc", "tmp", "root", "dev", "proc", "sys", "var", "run", "home"):
        (TREE / folder).mkdir(parents=True, exist_ok=True)
    (TREE / "tmp").chmod(0o1777)
    shutil.copy("/usr/bin/busybox", TREE / "bin/busybox")
    for applet in sh("busybox --list").split():
        if applet != "busybox":
            os.symlink("busybox", TREE / "bin" / applet)
    (TREE / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home:/bin/sh\n")
    (TREE / "etc/group").write_text("root:x:0:\nguest:x:1000:\nextra:x:2000:guest\n")
    sh(f"tar -C {TREE} -cf {TAR} . && chmod -R a+rX {TREE.parent}")
    sh(f"podman import -q -c 'CMD [\"sh\"]' -c 'ENV PATH=/bin' {TAR} {IMAGE}")
    sh(f"podman save -q --format oci-archive -o {ARCHIVE} {IMAGE}; chmod a+r {ARCHIVE}")
    sh(f"podman import -q -c 'CMD [\"/bin/sleep\", \"1000000\"]' {TAR} {PAUSE}")
    sh(f"podman save -q --format oci-archive -o {ARCHIVE}.pause {PAUSE}")


class Engine:
    prelude = ""
    page = None
    user = None
    one_at_a_time = False  # whether it must begin anew for another runtime

    def prepare(self):
        """Once, before any runtime."""

    def spare(self):
        """After the page and before the rows: defaults that cost time and prove nothing."""

    def begin(self, runtime):
        pass

    def clean(self, runtime):
        """After a row that failed."""

    def end(self, runtime):
        pass


class Podman(Engine):
    page = "podman"
    prelude = 'podman() { command podman --runtime "$RUNTIME" "$@"; }\n'

    def clean(self, runtime):
        sh("podman pod rm -fa -t 0; podman rm -fa -t 0; podman volume prune -f; podman network prune -f", check=False)

    end = clean

    def prepare(self):
        """Ids for --userns=auto, as Podman's manual wants them."""
        for path in (pathlib.Path("/etc/subuid"), pathlib.Path("/etc/subgid")):
            if "containers:" not in path.read_text():
                path.write_text(path.read_text() + "containers:2147483647:2147483648\n")
        sh("id containers >/dev/null 2>&1 || useradd --system containers")

    def spare(self):
        """No network but where a row asks for one: making a bridge takes longer than all else."""
        path = pathlib.Path("/etc/containers/containers.conf.d/90-rows.conf")
        path.write_text('[containers]\nnetns = "none"\n')


class Rootless(Podman):
    page = None
    user = USER

    def prepare(self):
        as_user(f"podman load -q -i {ARCHIVE}; podman tag $(podman images -q | head -n 1) {IMAGE}")

    def clean(self, runtime):
        as_user("podman pod rm -fa -t 0; podman rm -fa -t 0; podman volume prune -f", check=False)

    end = clean


class Buildah(Podman):
    page = "buildah"
    prelude = 'export BUILDAH_RUNTIME="$RUNTIME_PATH"\n'

    def clean(self, runtime):
        sh("buildah rm -a", check=False)

    end = clean


class Daemon(Engine):
    """An engine that is a daemon: started in a unit of its own, with the runtime as its default."""

    unit = ""
    command = ""
    ready = ""
    patience = 90  # seconds

    def start(self, environment=""):
        sh(f"systemctl reset-failed {self.unit} 2>/dev/null || true")
        sh(f"systemd-run -q --unit={self.unit} -p Delegate=yes -p KillMode=process -p Restart=always {environment} {self.command}")
        deadline = time.monotonic() + self.patience
        while subprocess.run(self.ready, shell=True, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.unit} does not answer: {sh(f'journalctl -u {self.unit} | tail -n 30', check=False)}")
            time.sleep(0.5)

    def stop(self):
        sh(f"systemctl stop {self.unit}", check=False)


class Docker(Daemon):
    page = "docker"
    one_at_a_time = True
    unit, command, ready = "engine-docker", "/usr/sbin/dockerd", "docker info"
    configuration = pathlib.Path("/etc/docker/daemon.json")
    # The line of the page's drop-in for docker.service, which is not what starts the daemon here.
    drop_in = "/etc/systemd/system/docker.service.d/50-capsule.conf"

    def prepare(self):
        self.from_page = json.loads(self.configuration.read_text())
        self.environment = pages.page("docker").files[self.drop_in].splitlines()[1].removeprefix("Environment=")
        self.start()
        sh(f"docker import -c 'CMD [\"sh\"]' -c 'ENV PATH=/bin' {TAR} {IMAGE}")
        self.stop()

    def begin(self, runtime):
        """As the page says, with a peer's name in the places of ours; runc needs no entry."""
        document = json.loads(json.dumps(self.from_page).replace("capsule", runtime))
        if runtime == "runc":
            del document["runtimes"]
        self.configuration.write_text(json.dumps(document))
        builder = self.environment.replace("/usr/bin/capsule", PATHS[runtime])
        self.start(f"--setenv={builder}")

    def clean(self, runtime):
        sh("docker ps -aq | xargs -r docker rm -f", check=False)

    def end(self, runtime):
        self.clean(runtime)
        self.stop()


class Containerd(Daemon):
    page = "containerd"
    unit, command, ready = "engine-containerd", "/usr/bin/containerd", "ctr version"
    prelude = (
        'run() { ctr run --runc-binary "$RUNTIME_PATH" "$@"; }\n'
        'gone() { for i in $(seq 100); do ctr task ls | grep -q "^$1 .*STOPPED" && break; sleep 0.1; done; '
        'ctr task rm "$1" >/dev/null 2>&1 || true; ctr c rm "$1"; }\n'
    )
    prelude += "on_terminal() { python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \"$@\"; }\n"
    began = False

    def prepare(self):
        if not Containerd.began:
            register_peers_with_containerd()
            make_a_network_for_pods()
            self.start()
            sh(f"ctr image import {ARCHIVE}; ctr -n k8s.io image import {ARCHIVE}; ctr -n k8s.io image import {ARCHIVE}.pause")
            Containerd.began = True

    def clean(self, runtime):
        sh("for i in $(ctr task ls -q); do ctr task kill -s 9 $i; sleep 0.3; ctr task rm -f $i; done;"
           "for i in $(ctr c ls -q); do ctr c rm $i; done", check=False)

    end = clean


class Cri(Containerd):
    page = None
    prelude = f'cri() {{ python3 {pathlib.Path(__file__).parent}/cri.py "$@"; }}\n'

    def clean(self, runtime):
        sh(self.prelude + "cri clean", check=False)

    end = clean


def register_peers_with_containerd():
    """The page's lines once more for each peer, and an image for pods that is here."""
    path = pathlib.Path("/etc/containerd/config.toml")
    ours = path.read_text()
    version, _, lines = ours.partition("\n")
    text = [version, lines]
    for name in ("crun", "runc"):
        text.append(lines.replace("/usr/bin/capsule", PATHS[name]).replace("runtimes.capsule", f"runtimes.{name}"))
    text.append(f'[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "{PAUSE}"\n')
    path.write_text("\n".join(text))


def make_a_network_for_pods():
    network = {
        "cniVersion": "1.0.0", "name": "rows",
        "plugins": [{"type": "bridge", "bridge": "rows0", "isGateway": True,
                     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.77.0/24"}]]}}],
    }
    folder = pathlib.Path("/etc/cni/net.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "10-rows.conflist").write_text(json.dumps(network))
    if not pathlib.Path("/opt/cni/bin").exists():
        pathlib.Path("/opt/cni").mkdir(parents=True)
        os.symlink("/usr/lib/cni", "/opt/cni/bin")


def as_user(script, check=True):
    uid = sh(f"id -u {USER}").strip()
    words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--reset-env"]
    settings = [f"XDG_RUNTIME_DIR=/run/user/{uid}", f"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus"]
    ended = subprocess.run(
        [*words, "env", *settings, "sh", "-euc", script], cwd=f"/home/{USER}", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180,
    )
    if check and ended.returncode:
        raise RuntimeError(f"{script}: ended with {ended.returncode}: {ended.stdout[-1500:]}")
    return ended.stdout


KINDS = {"podman": Podman, "rootless": Rootless, "docker": Docker, "containerd": Containerd, "cri": Cri, "buildah": Buildah}
