"""What engines leave in the environment of a runtime."""

from support import rootless


def runtime_directory(work):
    """XDG_RUNTIME_DIR of whoever the engine runs as."""
    if rootless.ACTIVE:
        return str(rootless.RUNTIME_DIRECTORY)
    directory = work / "user-0"
    directory.mkdir(mode=0o700, exist_ok=True)
    return str(directory)
