"""The disk of a guest that is a cluster of one node: containerd and etcd of Debian 13, and Kubernetes built from Debian 12's source.

Debian's packages have the client alone. The last of its sources with the rest in it is that of Debian 12, which is 1.20: its kubelet
speaks a version of the service interface (v1alpha2) that containerd 2 knows no longer, and Debian 13 has containerd 1.7.
"""

import pathlib
import subprocess

import cache
import image
import image_engines

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "trixie"
SUITE_OF_THE_SOURCE = "bookworm"
PROGRAMS = ("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
SECONDS = 3600  # for the build: seven minutes on two processors that do nothing else
UNSHARED = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]  # an interrupted build leaves neither mounts nor processes


def ensure(say):
    ordinary = image.ensure(say)
    programs = ensure_programs(say)
    key = cache.key_of(SUITE, ordinary.name, programs.name, *texts("packages-kubernetes.txt", "customize-engines.sh", "guest/stub.sh", "image_kubernetes.py"))

    def make(directory):
        say(f"making the image with Kubernetes ({len(packages())} packages and what they need) …")
        make_tree(directory, programs)
        image_engines.take_the_kernel(ordinary, directory)
        image.make_disk(directory)

    return image.Image(cache.entry(f"kubernetes-{SUITE}-{key}", make))


def ensure_programs(say):
    """A directory with Kubernetes' own programs, which have no other file to go with them."""

    def make(directory):
        say("building Kubernetes from Debian's source, once …")
        packages_of_the_build = "golang-go,ca-certificates,dpkg-dev"
        sources = [f"{kind} {image.mirror()} {SUITE_OF_THE_SOURCE} main" for kind in ("deb", "deb-src")]
        hook = f"--customize-hook=sh {HERE}/build-kubernetes.sh \"$1\" {directory}"
        debootstrap(directory, [f"--include={packages_of_the_build}", "--format=null", hook, SUITE_OF_THE_SOURCE, "-", *sources])

    return cache.entry(f"kubernetes-programs-{cache.key_of(*texts('build-kubernetes.sh'))}", make)


def texts(*names):
    return [(HERE / name).read_text() for name in names]


def packages():
    lines = (line.strip() for line in (HERE / "packages-kubernetes.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def make_tree(directory, programs):
    copies = " ".join(str(programs / name) for name in PROGRAMS)
    hooks = [f"--customize-hook=copy-in {copies} /usr/bin", f"--customize-hook=sh {HERE}/customize-engines.sh \"$1\""]
    debootstrap(directory, [f"--include={','.join(packages())}", "--format=directory", *hooks, SUITE, directory / "tree", image.mirror()])


def debootstrap(directory, words):
    settings = directory / "apt.conf"
    settings.write_text("\n".join(['APT::Install-Recommends "false";', *image.apt_settings()]) + "\n")
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--aptopt={settings}", *words]
    finished = subprocess.run([str(word) for word in [*UNSHARED, *command]], capture_output=True, text=True, timeout=SECONDS)
    if finished.returncode != 0:
        raise RuntimeError(f"mmdebstrap ended with {finished.returncode}:\n{(finished.stdout + finished.stderr).strip()[-2000:]}")
    settings.unlink()
