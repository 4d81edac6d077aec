"""What engines ask `features` once, and then believe."""

import json
import time

from .streams import hear


def of_containerd(runtime):
    """ABS/X features: stdout of a daemon's child, whatever its environment."""
    return json.loads(hear(runtime, "features").succeeded().out)


def of_nerdctl(runtime):
    """None after ten seconds, and what was found is kept until the program changes."""
    began = time.monotonic()
    found = of_containerd(runtime)
    return found if time.monotonic() - began < 10 else None


def of_crio(runtime):
    """Both streams together; without both versions the answer is not valid."""
    found = json.loads(hear(runtime, "features", merged=True).succeeded().out)
    return found if found.get("ociVersionMin") and found.get("ociVersionMax") else None


def supports_user_namespaces(features):
    """As containerd's CRI asks for pods with hostUsers: false; where linux is left out, it panics."""
    linux = features["linux"]
    return "user" in linux["namespaces"] and linux["mountExtensions"]["idmap"]["enabled"] is True


def supports_recursive_read_only(features):
    """containerd, CRI-O and Docker (bind-recursive=readonly)."""
    return "rro" in features["mountOptions"]
