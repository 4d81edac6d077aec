"""Docker: containerd's shim with arguments of its own, the daemon that sorts errors and the command line that counts them."""

from .containerd import Shim
from .go_runc import Failed
from .streams import hear


class Docker(Shim):
    """One container of the daemon's, with its exit code as `docker run` tells it."""

    def __init__(self, container, work, **options):
        super().__init__(container, work, namespace="moby", **options)

    def call_through_a_script(self):
        """What the daemon writes for a runtime with arguments: it does not exec, so it stays the parent."""
        self.runc.options["through"] = ("/bin/sh", "-c", '"$0" "$@"; exit $?')

    def hold_bogus_descriptors(self):
        """41 and 42, open in whatever the daemon starts: nothing of it may see them."""
        self.runc.options["through"] = ("bash", "-c", 'exec 41</proc 42</etc/passwd; exec "$@"', "bash")

    def run(self):
        """The exit code of `docker run`."""
        try:
            self.create().start()
            return self.wait()
        except Failed as failure:
            return code_of_docker_run(str(failure))

    def top(self):
        return self.runc.ps(self.id)


def code_of_docker_run(text):
    """The daemon looks at all in lower case and marks what it knows; the command line looks at the words as they are."""
    lower = text.lower()
    if "is a directory" in lower and "permission denied" not in lower:
        text += ": permission denied"
    if "permission denied" in text:
        return 126
    if "executable file not found" in text or "no such file or directory" in text or "not a directory" in text:
        return 127
    return 125


def default_runtime(runtime):
    """`docker info`: whatever line has the word "version" is split there."""
    found = {}
    for line in hear(runtime, "--version").succeeded().out.splitlines():
        if "version" in line:
            name, version = line.split("version")
            found["name"], found["version"] = name.strip(), version.strip()
        elif line.startswith("commit:"):
            found["commit"] = line.removeprefix("commit:").strip()
    return found
