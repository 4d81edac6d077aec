"""What pytest wrote about a run, for those who ask failed tests again by themselves."""

import xml.etree.ElementTree

MOST_AGAIN = 5  # tests; more than that are no accident


def failed_tests(results):
    """What pytest calls the tests that failed, from its XML file."""
    cases = xml.etree.ElementTree.parse(results).iter("testcase")
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return [f"integration/{case.get('file')}::{case.get('name')}" for case in failed]
