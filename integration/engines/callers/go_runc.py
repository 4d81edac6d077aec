"""The order of words of github.com/containerd/go-runc, the library below containerd, Docker, BuildKit and nerdctl."""

import json
import re

from .streams import hear


class Failed(Exception):
    """What a Go caller makes of a command that failed: its text is all that is looked at."""


class GoRunc:
    """`root`, `log` and so on are the fields of its struct of the same names; what is None is left out."""

    def __init__(self, runtime, root=None, log=None, log_format="json", systemd_cgroup=False, debug=False):
        self.runtime = runtime
        self.globals = [
            *(["--root", root] if root else []),
            *(["--debug"] if debug else []),
            *(["--log", log] if log else []),
            *(["--log-format", log_format] if log else []),
            *(["--systemd-cgroup"] if systemd_cgroup else []),
        ]
        self.options = {"dies_with_us": True}

    def merged(self, *words, **options):
        """One pipe takes both streams, and an error is wrapped around all that it took."""
        heard = hear(self.runtime, *self.globals, *words, merged=True, **{**self.options, **options})
        if heard.status != 0:
            raise Failed(f"runc did not terminate successfully: exit status {heard.status}: {heard.out}")
        return heard.out

    def stdout(self, *words, **options):
        heard = hear(self.runtime, *self.globals, *words, **{**self.options, **options})
        if heard.status != 0:
            raise Failed(f"exit status {heard.status}")
        return heard.out

    def spawn(self, *words, **options):
        return self.runtime.spawn(*self.globals, *words, **{**self.options, **options})

    def state(self, identifier):
        return json.loads(self.merged("state", identifier))

    def list(self):
        return json.loads(self.stdout("list", "--format=json")) or []

    def start(self, identifier):
        return self.merged("start", identifier)

    def kill(self, identifier, number, all=False):
        return self.merged("kill", *(["--all"] if all else []), identifier, str(int(number)))

    def delete(self, identifier, force=False):
        return self.merged("delete", *(["--force"] if force else []), identifier)

    def pause(self, identifier):
        return self.merged("pause", identifier)

    def resume(self, identifier):
        return self.merged("resume", identifier)

    def ps(self, identifier):
        return json.loads(self.merged("ps", "--format", "json", identifier))

    def top(self, identifier, options):
        """(header, rows); all options are one word, however many they are."""
        lines = self.merged("ps", "--format", "table", identifier, options).splitlines()
        header = lines[0].split()
        return header, [dict(zip(header, line.split(None, len(header) - 1))) for line in lines[1:]]

    def update(self, identifier, resources):
        return self.merged("update", "--resources=-", identifier, input=json.dumps(resources))

    def stats(self, identifier):
        return json.JSONDecoder().raw_decode(self.stdout("events", "--stats", identifier))[0]["data"]

    def version(self):
        """{"runc": …, "commit": …, "spec": …}, of which a name that is not runc's loses the first."""
        found = {}
        for number, line in enumerate(self.merged("--version").splitlines()):
            if number == 0 and line.startswith("runc version "):
                found["runc"] = line.removeprefix("runc version ")
            for key in ("commit", "spec"):
                if line.startswith(key + ": "):
                    found[key] = line.removeprefix(key + ": ")
        return found

    def features(self):
        return json.loads(hear(self.runtime, "features", **self.options).succeeded().out)


def atoi(path):
    """strconv.Atoi of the whole file: a newline, a blank or nothing at all is an error."""
    text = path.read_text()
    if not re.fullmatch(r"[+-]?\d+", text):
        raise Failed(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
