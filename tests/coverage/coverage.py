#!/usr/bin/env python3
"""Makes docs/spec-coverage.md from the tests, and fails when something has no test.

    coverage.py            writes docs/spec-coverage.md
    coverage.py --check    writes nothing; fails if the page is not what the tests say, or if a gap is open
    coverage.py --self-test  plants each kind of gap and expects to be told

What must be covered is listed beside this file: fields.txt (every field of runtime-spec 1.3.0), requirements.txt (its demands in prose),
engine_rules.txt (what engines depend on) and rules.txt (our security rules). A test says what it proves: `@covers("/process/cwd")`,
`@normative("B7")` and `@engine_rule(14)` in Python,
`// Covers: /linux/resources/pids/limit` and `// Normative: B20` above a TEST_CASE in C++; for a rule its name is enough.
docs/compatibility.md is checked too: each test it names must exist.
"""
import ast
import dataclasses
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
MARKS = {"covers": "field", "normative": "requirement", "engine_rule": "engine rule"}
KINDS = tuple(MARKS.values())
OTHER_PLATFORMS = "of other platforms"
# Parts of pointers that name no member that the reader would ask for.
NOT_READ = re.compile(r"^(state|containerProcessState|features)/")


@dataclasses.dataclass
class Test:
    name: str
    file: str
    proves: dict  # one of KINDS → the names in its marks


@dataclasses.dataclass
class Row:
    name: str
    kernel: str
    remark: str


# ---- the lists


def read_fields(path):
    """[(section, [Row])] of fields.txt."""
    sections = []
    for line in lines_of(path):
        if line.startswith("["):
            sections.append((line.strip("[]"), []))
        else:
            name, kernel, *remark = line.split(maxsplit=2)
            sections[-1][1].append(Row(name, "" if kernel == "-" else f"≥ {kernel}", "".join(remark)))
    return sections


def read_sentences(path):
    """[(mark, sentence)] of requirements.txt, engine_rules.txt and rules.txt."""
    return [tuple(line.split(maxsplit=1)) for line in lines_of(path)]


def lines_of(path):
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


# ---- the tests


def python_tests(root):
    for path in sorted((root / "integration").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield Test(node.name, str(path.relative_to(root)), marks_of(node))


def marks_of(function):
    proves = {kind: [] for kind in KINDS}
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            name = getattr(decorator.func, "id", getattr(decorator.func, "attr", ""))
            if name in MARKS:
                arguments = decorator.args[:1] if name == "normative" else decorator.args
                proves[MARKS[name]] += [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]
    return proves


TEST_CASE = re.compile(r'((?:^//.*\n)*)^(?:TEST_CASE|SCENARIO)\(\s*"((?:[^"\\]|\\.|"\s*\n?\s*")*)"', re.M)


def cpp_tests(root):
    for path in sorted((root / "tests").rglob("*_test.cc")):
        for comment, name in TEST_CASE.findall(path.read_text()):
            text = comment.replace("\n//", " ")
            yield Test(
                re.sub(r'"\s*"', "", name), str(path.relative_to(root)),
                {"field": words_after("Covers", text), "requirement": words_after("Normative", text), "engine rule": []},
            )


def words_after(word, text):
    found = re.search(rf"\b{word}: (.*?)(?= [A-Z]\w+: |$)", text, re.S)
    return re.split(r"[,\s]+", found.group(1).strip()) if found else []


def expected_to_fail(root):
    """The tests that this version of capsule is known to fail: they prove nothing."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "integration"))
    from support import peers

    return {name.split("[")[0] for names in peers.CAPSULE.values() for name in names}


def tests_of(root):
    failing = expected_to_fail(root)
    return [test for test in (*python_tests(root), *cpp_tests(root)) if test.name not in failing]


# ---- what is wrong


def problems_of(root, tests):
    yield from marks_without_a_row(root, tests)
    yield from rows_without_a_test(root, tests)
    yield from fields_read_but_not_listed(root)
    yield from unknown_tests_in(root / "docs/compatibility.md", tests)


def marks_without_a_row(root, tests):
    known = {
        "field": {row.name for _, rows in read_fields(HERE / "fields.txt") for row in rows},
        "requirement": {mark for mark, _ in read_sentences(HERE / "requirements.txt")},
        "engine rule": {mark for mark, _ in read_sentences(HERE / "engine_rules.txt")},
    }
    for test in tests:
        for kind, names in test.proves.items():
            for name in set(names):
                if not any(is_below(row, name) for row in known[kind]):
                    yield f"{test.file}: {test.name}: there is no {kind} {name}"


def rows_without_a_test(root, tests):
    for _, rows in read_fields(HERE / "fields.txt"):
        for row in rows:
            if not proofs(tests, "field", row.name):
                yield f"no test covers {row.name}"
    for mark, sentence in read_sentences(HERE / "requirements.txt"):
        if not proofs(tests, "requirement", mark):
            yield f"no test is marked {mark}: {sentence}"
    for mark, sentence in read_sentences(HERE / "engine_rules.txt"):
        if not proofs(tests, "engine rule", mark):
            yield f"no test is marked with engine rule {mark}: {sentence}"
    for mark, sentence in read_sentences(HERE / "rules.txt"):
        if not named_after(tests, mark):
            yield f"no test is named after {mark}: {sentence}"


def fields_read_but_not_listed(root):
    """Whatever spec/ asks a config for is in the list, and the other way round."""
    asked = set()
    for path in (root / "spec").glob("read*.cc"):
        asked |= set(re.findall(r'\bat\.[\w:<>]+\(\s*"(\w+)"', path.read_text()))
    listed = {
        part
        for section, rows in read_fields(HERE / "fields.txt")
        for row in rows
        if section != OTHER_PLATFORMS + ": ignored" and not NOT_READ.match(row.name)
        for part in row.name.strip("/").split("/")
        if part != "*"
    }
    for name in sorted(asked - listed):
        yield f"spec/ reads \"{name}\", which fields.txt does not list"
    for name in sorted(listed - asked):
        yield f"fields.txt lists \"{name}\", which spec/ does not read"


def unknown_tests_in(page, tests):
    known = {test.name for test in tests}
    if not page.exists():
        return
    for number, line in enumerate(page.read_text().splitlines(), 1):
        for name in re.findall(r"`(test_\w+)`", line) + re.findall(r"“([^”]+)”", line):
            if name not in known:
                yield f"docs/compatibility.md:{number}: there is no passing test {name}"


def proofs(tests, kind, name):
    return [test for test in tests if any(is_below(name, mark) for mark in test.proves[kind])]


def is_below(row, mark):
    """The mark of an object, like /linux/devices/*, stands for all its members."""
    return row == mark or row.startswith(mark + "/")


def named_after(tests, rule):
    return [test for test in tests if test.name.startswith((f"test_{rule}_", f"{rule} "))]


# ---- the page

INTRODUCTION = """\
# What proves it

This page is made from the tests by `make coverage`, and CI fails when it is not what they say: when a field of runtime-spec 1.3.0 has
no test, when a demand of its prose has none, or when something that engines depend on or one of our security rules has none. Names that begin with `test_` are integration
tests (`integration/`), run on the built binary; the others are unit tests (`tests/`).
"""


def page_of(tests):
    lines = [INTRODUCTION]
    for section, rows in read_fields(HERE / "fields.txt"):
        lines += [f"## Fields {section}" if section.startswith("of") else f"## Fields of {section}", ""]
        lines += ["| field | proved by | Linux | |", "|---|---|---|---|"]
        lines += [f"| `{row.name}` | {names_of(proofs(tests, 'field', row.name))} | {row.kernel} | {row.remark} |" for row in rows]
        lines.append("")
    lines += ["## Demands in prose", "", "| | demand | proved by |", "|---|---|---|"]
    for mark, sentence in read_sentences(HERE / "requirements.txt"):
        lines.append(f"| {mark} | {sentence} | {names_of(proofs(tests, 'requirement', mark))} |")
    lines += ["", "## What engines depend on", "", "| | rule | proved by |", "|---|---|---|"]
    for mark, sentence in read_sentences(HERE / "engine_rules.txt"):
        lines.append(f"| {mark} | {sentence} | {names_of(proofs(tests, 'engine rule', mark))} |")
    lines += ["", "## Security rules", "", "| | rule | proved by |", "|---|---|---|"]
    for mark, sentence in read_sentences(HERE / "rules.txt"):
        lines.append(f"| {mark} | {sentence} | {names_of(named_after(tests, mark))} |")
    return "\n".join(lines) + "\n"


def names_of(tests, most=3):
    shown = "<br>".join(f"`{test.name}`" if test.name.startswith("test_") else f"“{test.name}”" for test in tests[:most])
    return shown + (f"<br>and {len(tests) - most} more" if len(tests) > most else "")


# ---- the ways to call it


def main(arguments):
    root = HERE.parent.parent
    if arguments == ["--self-test"]:
        return self_test()
    tests = tests_of(root)
    found = list(problems_of(root, tests))
    page = root / "docs/spec-coverage.md"
    wanted = page_of(tests)
    if arguments == ["--check"]:
        if not page.exists() or page.read_text() != wanted:
            found.append("docs/spec-coverage.md is not what the tests say: run make coverage")
    else:
        page.write_text(wanted)
    for problem in found:
        print(problem)
    return 1 if found else 0


def self_test():
    """A mark for nothing, a row for nothing and a missing rule are told; a full set of tests is not."""
    rows = [row.name for _, rows in read_fields(HERE / "fields.txt") for row in rows]
    demands = [mark for mark, _ in read_sentences(HERE / "requirements.txt")]
    engine_rules = [mark for mark, _ in read_sentences(HERE / "engine_rules.txt")]
    rules = [proving(f"test_{mark}_x") for mark, _ in read_sentences(HERE / "rules.txt")]
    all_of_it = proving("test_all", rows, demands, engine_rules)
    expect("nothing is told of a full set", not told([all_of_it, *rules]))
    less = proving("test_less", rows[1:], demands[1:], engine_rules[1:])
    expect("a field without a test is told", f"no test covers {rows[0]}" in told([less, *rules]))
    expect("a demand without a test is told", any(line.startswith("no test is marked B1:") for line in told([less, *rules])))
    expect("a rule of the engines is told", any(line.startswith("no test is marked with engine rule 1:") for line in told([less, *rules])))
    expect("a rule without a test is told", any("R01" in line for line in told([all_of_it, *rules[1:]])))
    more = proving("test_more", ["/nonsense"], engine_rules=["99"])
    expect("a mark for nothing is told", "f: test_more: there is no field /nonsense" in told([all_of_it, more, *rules]))
    expect("a number for nothing is told", "f: test_more: there is no engine rule 99" in told([all_of_it, more, *rules]))
    return 0


def proving(name, fields=(), demands=(), engine_rules=()):
    return Test(name, "f", dict(zip(KINDS, (fields, demands, engine_rules))))


def told(tests):
    return [*marks_without_a_row(None, tests), *rows_without_a_test(None, tests)]


def expect(what, holds):
    if not holds:
        raise SystemExit(f"coverage.py --self-test: {what}: it is not")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
