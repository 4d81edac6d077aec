"""The cache of images: broken entries are made again, whole ones are not. Needs no guest."""

import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import cache


@pytest.fixture
def built(tmp_path, monkeypatch):
    """built() asks the cache for an entry and tells how often it was made so far."""
    monkeypatch.setenv("CAPSULE_VM_CACHE", str(tmp_path))
    made = []

    def make(directory):
        made.append(directory)
        (directory / "root.img").write_text("content")

    def ask():
        ask.path = cache.entry("entry", make)
        return len(made)

    return ask


def test_an_image_is_made_once(built):
    assert (built(), built()) == (1, 1)
    assert (built.path / "root.img").read_text() == "content"


def test_an_image_that_was_cut_off_is_made_again(built):
    built()
    os.truncate(built.path / "root.img", 3)

    assert built() == 2


def test_an_image_with_other_bytes_is_made_again(built):
    built()
    (built.path / "root.img").write_text("CONTENT")

    assert built() == 2


def test_an_image_that_was_only_touched_is_kept(built):
    built()
    os.utime(built.path / "root.img", (1, 1))

    assert built() == 1


@pytest.mark.parametrize("text", ["", "{}", "{broken"])
def test_an_image_without_a_marker_is_made_again(built, text):
    built()
    (built.path / cache.MARKER).write_text(text)

    assert built() == 2


def test_what_an_interrupted_build_left_is_removed(built, tmp_path):
    (tmp_path / "making-x").mkdir()

    built()

    assert not (tmp_path / "making-x").exists()


def test_a_failing_build_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPSULE_VM_CACHE", str(tmp_path))

    with pytest.raises(ZeroDivisionError):
        cache.entry("entry", lambda directory: 1 / 0)

    assert os.listdir(tmp_path) == ["lock"]


def test_the_newest_two_of_a_kind_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPSULE_VM_CACHE", str(tmp_path))

    for number in (1, 2, 3):
        path = cache.entry(f"trixie-{number}", lambda directory: (directory / "root.img").write_text("content"))
        os.utime(path / cache.MARKER, (time.time() - 100 + number,) * 2)
    cache.entry("sid-1", lambda directory: (directory / "root.img").write_text("content"))

    assert sorted(os.listdir(tmp_path)) == ["lock", "sid-1", "trixie-2", "trixie-3"]


def test_an_image_that_is_used_again_counts_as_new(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPSULE_VM_CACHE", str(tmp_path))
    make = lambda directory: (directory / "root.img").write_text("content")
    for number in (1, 2):
        os.utime(cache.entry(f"trixie-{number}", make) / cache.MARKER, (time.time() - 100 + number,) * 2)
    cache.entry("trixie-1", make)

    cache.entry("trixie-3", make)

    assert sorted(os.listdir(tmp_path)) == ["lock", "trixie-1", "trixie-3"]
