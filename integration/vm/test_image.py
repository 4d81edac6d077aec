"""What is said when the image cannot be made. Needs no guest."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import image


@pytest.fixture
def ensured(tmp_path, monkeypatch):
    """ensured(COMMAND) makes the image with that alone, and returns what is said as it ends."""
    monkeypatch.setenv("CAPSULE_VM_CACHE", str(tmp_path))
    monkeypatch.setenv("CAPSULE_VM_MIRROR", "http://mirror.example/debian")

    def ensure(*command):
        monkeypatch.setattr(image, "make_tree", lambda _: image.run(command))
        with pytest.raises(SystemExit) as ended:
            image.ensure(lambda _: None)
        return str(ended.value)

    return ensure


def test_a_command_that_fails_is_told_with_its_words_and_the_mirror(ensured):
    said = ensured("sh", "-c", "echo no such archive >&2; exit 3")

    assert said.startswith("vm: the test machine's image cannot be made: sh ended with 3 ")
    assert "http://mirror.example/debian" in said
    assert said.endswith("no such archive")


def test_a_command_that_hangs_is_given_up(ensured, monkeypatch):
    monkeypatch.setattr(image, "SECONDS", 0.1)

    assert "sleep did not end within 0.1 s (packages come from http://mirror.example/debian)" in ensured("sleep", "1000")
