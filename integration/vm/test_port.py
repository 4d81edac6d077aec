"""What the job prints is told from the lines that job.sh signs. Needs no guest."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from machine import PortLines

TOKEN = "0123456789abcdef"


@pytest.fixture
def port(tmp_path):
    path = tmp_path / "port"
    path.touch()
    lines = PortLines(path, TOKEN)
    lines.printed = b""

    def arrives(data):
        with open(path, "ab") as file:
            file.write(data)
        lines.pass_on(collect)
        return lines

    def collect(data):
        lines.printed += data

    yield arrives
    lines.file.close()


def signed(words):
    return f"@{TOKEN} {words}\n".encode()


def test_what_the_job_prints_is_passed_on_without_our_lines(port):
    lines = port(signed("begun") + b"one\ntwo\n" + signed("ended 3"))

    assert (lines.printed, lines.begun, lines.status) == (b"one\ntwo\n", True, 3)


def test_a_line_without_an_end_is_passed_on_at_once(port):
    assert port(b"....").printed == b"...."


def test_our_lines_are_known_in_whatever_pieces_they_arrive(port):
    for byte in b"user@host\n." + signed("ended 0"):
        lines = port(bytes([byte]))

    assert (lines.printed, lines.status) == (b"user@host\n.", 0)


def test_nobody_else_can_end_the_job(port):
    lines = port(b"@0000000000000000 ended 0\n")

    assert (lines.printed, lines.status) == (b"@0000000000000000 ended 0\n", None)
