"""The pages, the rows and the table by themselves. Needs no engine."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import main
import pages
import rows
import table

PAGES = ("podman", "docker", "containerd", "buildah", "cri-o", "kubernetes")


@pytest.mark.parametrize("name", PAGES)
def test_each_block_of_a_page_is_for_the_reader_or_followed(name):
    found = pages.page(name)

    assert found.files or found.commands
    assert all(path.startswith("/etc/") for path in found.files)


def test_files_of_a_page_are_written_as_they_stand(tmp_path):
    found = pages.parse("some", "words\n\n```toml file=/etc/a/b\nx = 1\n```\n\n```sh run\ntrue\n```\n\n```sh\nnot run\n```\n")

    pages.write_files(found, tmp_path)

    assert (tmp_path / "etc/a/b").read_text() == "x = 1\n"
    assert found.commands == ["true\n"]


def test_a_marker_that_means_nothing_is_refused():
    with pytest.raises(ValueError, match="neither"):
        pages.parse("some", "```sh runs\ntrue\n```\n")


def test_a_failing_line_of_a_page_is_told():
    failures = pages.run_commands(pages.parse("some", "```sh run\nfalse\ntrue\n```\n"))

    assert "some.md, block 1: ended with 1" in failures[0]


@pytest.mark.parametrize("engine", rows.ENGINES)
def test_every_action_of_an_engine_is_told_apart(engine):
    actions = [row.action for row in rows.of(engine)]

    assert len(set(actions)) == len(actions)


def test_a_row_is_judged_by_its_end_and_its_words():
    row = rows.Row("some", "script", exit=3, prints=("^word$",))

    assert row.judge(3, "a\nword\n") == ""
    assert "instead of 3" in row.judge(0, "word")
    assert "instead of 3" in row.judge("the deadline", "word")
    assert "^word$" in row.judge(3, "words")


def results(**outcomes):
    every = {f"{engine}: {row.action}": passing() for engine in rows.ENGINES for row in rows.of(engine)}
    return {"versions": {}, "pages": {}, "rows": every | {"docker: run -i passes standard input": passing(**outcomes)}}


def passing(**but):
    return {runtime: {"outcome": but.get(runtime, "passed"), "why": "ended with 1"} for runtime in table.RUNTIMES}


@pytest.mark.parametrize(
    ("outcomes", "wrong"),
    [
        ({}, 0),
        ({"crun": "failed"}, 0),
        ({"capsule": "failed"}, 1),
        ({"capsule": "failed", "crun": "failed"}, 1),
        ({"capsule": "failed", "crun": "failed", "runc": "failed"}, 1),
    ],
)
def test_capsule_is_at_fault_where_it_fails_and_a_row_where_nobody_passes(outcomes, wrong):
    assert len(table.faults(results(**outcomes))) == wrong


def test_a_row_that_was_not_tried_is_a_fault():
    document = results()
    del document["rows"]["docker: run -i passes standard input"]

    assert len(table.faults(document)) == 1


def test_the_page_names_the_engines_that_were_not_tried():
    document = results()
    document["rows"] = {name: row for name, row in document["rows"].items() if not name.startswith("cri: ")}

    assert "Not yet tried as a whole with this version: containerd through CRI." in table.page(document)


def test_the_page_counts_what_each_runtime_passes():
    document = results(crun="failed")

    written = table.page(document)

    count = len(rows.of("docker"))
    assert f"| Docker | {count} | {count} | {count - 1} | {count} |" in written
    assert "| run -i passes standard input | yes | no | yes |" in written


class Engine:
    """What a row needs of one."""
    user = ""
    prelude = ""

    def __init__(self):
        self.cleaned = 0

    def clean(self, _runtime):
        self.cleaned += 1


@pytest.mark.parametrize("passes_at, outcome, asked, cleaned", [(1, "passed", 1, 0), (3, "passed", 3, 2), (4, "failed", 3, 2)])
def test_a_row_with_attempts_is_asked_until_it_passes(monkeypatch, passes_at, outcome, asked, cleaned):
    engine = Engine()
    answers = iter(range(1, 9))
    monkeypatch.setattr(main, "execute", lambda *_: (0 if next(answers) == passes_at else 1, ""))

    result = main.attempt(rows.Row("some", "script", attempts=3), engine, "capsule", 1)

    assert (result["outcome"], result["asked"], engine.cleaned) == (outcome, asked, cleaned)


def test_who_was_asked_again_is_told_below_the_table():
    row = next(row for row in rows.of("podman") if row.attempts > 1)
    results = {runtime: {"outcome": "passed", "asked": asked} for runtime, asked in (("capsule", 1), ("crun", 1), ("runc", 2))}

    section = "\n".join(table.section({"rows": {f"podman: {row.action}": results}}, "podman"))

    assert f"{row.action}: asked again, since the engine loses a race of its own: runc 2 times." in section
