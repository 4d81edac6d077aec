"""The disk of a guest that has real engines: Debian sid's packages, and the kernel of the ordinary image.

Sid, because its containerd, Docker and Podman are those of this year; the older kernel, because it is the one the suite is tested
with, and faster where a processor is emulated. A module of its own: image.py's text is a part of the ordinary image's key, and
that image need not be made again for what concerns engines.
"""

import pathlib
import shutil

import cache
import image
from image import run

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "sid"


def ensure(say):
    ordinary = image.ensure(say)
    key = cache.key_of(SUITE, ordinary.name, *(path.read_text() for path in inputs()))

    def make(directory):
        say(f"making the image with engines ({len(packages())} packages and what they need) …")
        make_tree(directory)
        take_the_kernel(ordinary, directory)
        image.make_disk(directory)

    return image.Image(cache.entry(f"engines-{SUITE}-{key}", make))


def inputs():
    return [HERE / name for name in ("packages-engines.txt", "customize-engines.sh", "guest/stub.sh", "image_engines.py")]


def packages():
    lines = (line.strip() for line in (HERE / "packages-engines.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def make_tree(directory):
    """In a mount and a pid namespace of its own, so that an interrupted build leaves neither mounts nor processes."""
    settings = directory / "apt.conf"
    settings.write_text("\n".join(['APT::Install-Recommends "false";', *image.apt_settings()]) + "\n")
    own_namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--format=directory", f"--aptopt={settings}"]
    command += [f"--include={','.join(packages())}", f"--customize-hook=sh {HERE}/customize-engines.sh \"$1\""]
    run([*own_namespaces, *command, SUITE, directory / "tree", image.mirror()])
    settings.unlink()


def take_the_kernel(ordinary, directory):
    """The modules out of the ordinary image's file system, without mounting it."""
    shutil.copy(ordinary.kernel, directory / "vmlinuz")
    libraries = directory / "tree/usr/lib"
    shutil.rmtree(libraries / "modules", ignore_errors=True)
    run(["debugfs", "-R", f"rdump /usr/lib/modules {libraries}", ordinary.disk])
    versions = list((libraries / "modules").iterdir())
    if len(versions) != 1:
        raise RuntimeError(f"modules of one kernel were expected in {ordinary.disk}, and there are {len(versions)}")
