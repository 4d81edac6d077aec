"""A root file system made of nothing but busybox."""

import os
import pathlib
import shutil
import subprocess

BUSYBOX = next((path for path in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(path)), None)

DIRECTORIES = ("bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var")
PASSWD = "root:x:0:0:root:/root:/bin/sh\nwalter:x:1000:1000:Walter:/home/walter:/bin/sh\n"
GROUP = "root:x:0:\nwalter:x:1000:\nstaff:x:50:walter\n"


class Template:
    """Made once; `clone_to` makes a cheap copy of it for one test."""

    def __init__(self, path):
        if BUSYBOX is None:
            raise RuntimeError("a statically linked busybox is needed (Debian: busybox-static)")
        self.path = pathlib.Path(path)
        self.path.mkdir(mode=0o755)
        self.busybox = self.path / "busybox"
        shutil.copyfile(BUSYBOX, self.busybox)
        self.busybox.chmod(0o755)
        listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
        self.applets = [name for name in listed if name != "busybox"]

    def clone_to(self, rootfs):
        rootfs = pathlib.Path(rootfs)
        rootfs.mkdir(mode=0o755)
        for name in DIRECTORIES:
            os.mkdir(rootfs / name, 0o755)
        os.chmod(rootfs / "tmp", 0o1777)
        os.chmod(rootfs / "root", 0o700)
        os.mkdir(rootfs / "home/walter", 0o755)
        os.link(self.busybox, rootfs / "bin/busybox")
        for applet in self.applets:
            os.symlink("busybox", rootfs / "bin" / applet)
        (rootfs / "etc/passwd").write_text(PASSWD)
        (rootfs / "etc/group").write_text(GROUP)
        return rootfs


def chown_tree(path, owner):
    """Gives a root file system to another owner; busybox is shared by all and stays root's."""
    for directory, _, files in os.walk(path):
        os.chown(directory, owner, owner)
        for name in files:
            if name != "busybox":
                os.chown(os.path.join(directory, name), owner, owner, follow_symlinks=False)
