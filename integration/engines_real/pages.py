"""The blocks of a registration page (docs/engines) that are followed literally.

    ```toml file=/etc/…      is written to that path
    ```toml other=/etc/…     is what that file is with another version of the engine; who tries that one writes it
    ```sh run                is executed, line by line as it stands

Other blocks are for the reader.
"""

import dataclasses
import pathlib
import re
import subprocess

FENCED = re.compile(r"^```(\w+) (.+)\n((?:.*\n)*?)```$", re.MULTILINE)
PAGES = pathlib.Path(__file__).resolve().parents[2] / "docs/engines"


@dataclasses.dataclass
class Page:
    name: str
    files: dict  # path → content
    commands: list  # scripts, in the order of the page
    others: dict  # path → content


def page(name):
    return parse(name, (PAGES / f"{name}.md").read_text())


def parse(name, text):
    found = Page(name, {}, [], {})
    for _, marker, content in FENCED.findall(text):
        if marker.startswith("file=/"):
            found.files[marker.removeprefix("file=")] = content
        elif marker.startswith("other=/"):
            found.others[marker.removeprefix("other=")] = content
        elif marker == "run":
            found.commands.append(content)
        else:
            raise ValueError(f"{name}: a block begins with '{marker}', which is neither file=/PATH, other=/PATH nor run")
    return found


def write_files(found, root="/"):
    for path, content in found.files.items():
        target = pathlib.Path(root) / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)


def run_commands(found, deadline=120):
    """What went wrong, one sentence each; every line must succeed."""
    failures = []
    for number, script in enumerate(found.commands, 1):
        ended = subprocess.run(
            ["sh", "-euxc", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=deadline,
        )
        if ended.returncode:
            failures.append(f"{found.name}.md, block {number}: ended with {ended.returncode}: {ended.stdout.strip()[-600:]}")
    return failures
