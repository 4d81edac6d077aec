"""The pages, the rows and the table by themselves. Needs no engine."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

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
