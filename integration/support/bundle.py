"""Bundles: a directory, a root file system and a config.json that a test edits as plain dictionaries."""

import copy
import json
import re

from . import rootless

STANDARD_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    },
    {
        "destination": "/sys",
        "type": "sysfs",
        "source": "sysfs",
        "options": ["nosuid", "noexec", "nodev", "ro"],
    },
]

STANDARD_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")


def standard_config():
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["true"],
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                kind: list(STANDARD_CAPABILITIES) for kind in ("bounding", "effective", "permitted")
            },
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "capsule",
        "mounts": copy.deepcopy(STANDARD_MOUNTS),
        "linux": {"namespaces": [{"type": kind} for kind in NAMESPACES]},
    }


class Bundle:
    def __init__(self, path, template):
        self.path = path
        self.path.mkdir(mode=0o755)
        self.rootfs = template.clone_to(path / "rootfs")
        self.config = standard_config()
        if rootless.ACTIVE:
            self.map_ids(*rootless.MAP)

    def save(self):
        (self.path / "config.json").write_text(json.dumps(self.config, indent=2))
        if rootless.ACTIVE:
            rootless.give_to_container(self)
        return self

    # What the container runs.

    def args(self, *arguments):
        self.process["args"] = list(arguments)
        return self

    def sh(self, script):
        return self.args("sh", "-c", script)

    def sleeper(self):
        """Runs until it is told to end; answers TERM although it is PID 1."""
        return self.sh("trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done")

    # Shortcuts into the config.

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    @property
    def resources(self):
        return self.linux.setdefault("resources", {})

    @property
    def mounts(self):
        return self.config["mounts"]

    def mount(self, destination, kind="tmpfs", source=None, options=(), **more):
        self.mounts.append(
            {"destination": destination, "type": kind, "source": str(source or kind), "options": list(options), **more}
        )
        return self

    def bind(self, source, destination, *options):
        return self.mount(destination, "bind", source, options or ("rbind",))

    def namespace(self, kind, path=None):
        """Makes `kind` a new namespace, or one joined by `path`."""
        self.without_namespace(kind)
        process = re.match(r"/proc/\d+/ns/", str(path))
        if rootless.ACTIVE and process and kind != "user":
            self.namespace("user", f"{process[0]}user")  # only who is inside may join what belongs to it
        self.linux["namespaces"].append({"type": kind, "path": str(path)} if path else {"type": kind})
        return self

    def without_namespace(self, kind):
        self.linux["namespaces"] = [entry for entry in self.linux["namespaces"] if entry["type"] != kind]
        if kind == "user":
            self.linux.pop("uidMappings", None)
            self.linux.pop("gidMappings", None)
        return self

    def map_ids(self, *ranges):
        """A new user namespace with (container id, host id, size) ranges for users and groups alike."""
        mapping = [{"containerID": inside, "hostID": outside, "size": size} for inside, outside, size in ranges]
        self.namespace("user")
        self.linux["uidMappings"] = mapping
        self.linux["gidMappings"] = copy.deepcopy(mapping)
        return self

    def capabilities(self, *names, kinds=("bounding", "effective", "permitted")):
        self.process["capabilities"] = {kind: list(names) for kind in kinds}
        return self

    # Files the container sees.

    def write(self, path, text, mode=0o644):
        target = self.rootfs / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return target

    def script(self, path, text):
        return self.write(path, "#!/bin/sh\n" + text + "\n", 0o755)
