"""Which tests are asked again. Needs no guest."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import check

RESULTS = """<testsuites><testsuite>
<testcase file="test_a.py" name="test_passes"/>
<testcase file="test_a.py" name="test_skips"><skipped/></testcase>
<testcase file="test_a.py" name="test_fails[1-x]"><failure message="no"/></testcase>
<testcase file="test_b.py" name="test_leaves_something"><error message="left"/></testcase>
</testsuite></testsuites>"""


def test_those_that_failed_are_named_as_pytest_names_them(tmp_path):
    results = tmp_path / "capsule.xml"
    results.write_text(RESULTS)

    assert check.failed_tests(results) == ["integration/test_a.py::test_fails[1-x]", "integration/test_b.py::test_leaves_something"]
