"""The page of limits: what is read from results, and what is said where a runtime has none. Needs no guest."""

import json
import pathlib
import sys
from xml.sax.saxutils import quoteattr

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import limits


def case(name, *lines, inside=""):
    properties = "".join(f'<property name="limit" value={quoteattr(json.dumps(line))}/>' for line in lines)
    return f'<testcase name="{name}"><properties>{properties}</properties>{inside}</testcase>'


@pytest.fixture
def results(tmp_path):
    """results(directory, capsule=…, crun=…, runc=…) writes the files of one boot."""

    def write(name="one", **found):
        directory = tmp_path / name
        directory.mkdir()
        for runtime in limits.RUNTIMES:
            text = f'<testsuites><testsuite>{found.get(runtime, "")}</testsuite></testsuites>'
            (directory / f"{runtime}.xml").write_text(text)
        return directory

    return write


LINE = ["pids.max", "20", "at most 20"]


def test_a_line_has_the_effect_with_each_runtime(results):
    other = ["pids.max", "20", "at most 19"]

    table = limits.rows(limits.results_in([results(capsule=case("a", LINE), crun=case("a", other), runc=case("a", LINE))]))

    assert table == {("pids.max", "20"): {"capsule": "at most 20", "crun": "at most 19", "runc": "at most 20"}}


@pytest.mark.parametrize(
    "inside, words",
    [('<failure message="x"/>', "fails"), ('<skipped type="pytest.xfail" message="has none"/>', "has none")],
)
def test_a_runtime_without_the_line_says_why(results, inside, words):
    table = limits.rows(limits.results_in([results(capsule=case("a", LINE), crun=case("a", inside=inside))]))

    assert table["pids.max", "20"]["crun"] == f"— ({words})"


def test_a_line_of_a_test_that_failed_is_marked(results):
    table = limits.rows(limits.results_in([results(capsule=case("a", LINE, inside="<failure/>"))]))

    assert table["pids.max", "20"]["capsule"] == "at most 20 (fails)"


def test_a_later_boot_adds_what_was_skipped_and_takes_nothing_away(results):
    skipped = case("a", inside='<skipped message="2 processors are needed"/>')
    first = results("one", capsule=case("b", LINE) + skipped)
    second = results("two", capsule=case("a", ["cpuset.cpus", "1", "1"]) + case("b", inside="<skipped/>"))

    table = limits.rows(limits.results_in([first, second]))

    assert table["pids.max", "20"]["capsule"] == "at most 20"
    assert table["cpuset.cpus", "1"]["capsule"] == "1"
