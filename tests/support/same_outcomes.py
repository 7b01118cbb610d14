"""Compares two runs of the tests, by the files that pytest writes with --junitxml.

Run: python -m tests.support.same_outcomes A B...

For .ci/run, which runs test files on another day (A) and in another time zone as well: a test that is skipped there, or
not there at all, would pass unnoticed. The other run is all of B together. Files that A did not run are left out.
Silent where both runs have the same tests of these files with the same outcomes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

NOT_PASSED = ("skipped", "failure", "error")


def outcomes(file: Path) -> dict[str, str]:
    """What became of each test."""
    cases = ElementTree.parse(file).getroot().iter("testcase")  # noqa: S314 -- pytest wrote it
    return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}


def _file(test: str) -> str:
    """The module of a test: what stands before its class, if it has one, and its name."""
    return ".".join(part for part in test.partition("::")[0].split(".") if not part[:1].isupper())


def _outcome(case: ElementTree.Element) -> str:
    return next((each for each in NOT_PASSED if case.find(each) is not None), "passed")


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """A line for each test with another outcome."""
    return [
        f"{test}: {one.get(test, 'not run')}, then {other.get(test, 'not run')}"
        for test in sorted(one.keys() | other.keys())
        if one.get(test) != other.get(test)
    ]


def main(one: str, *others: str) -> None:
    """Ends with 1 where the runs differ."""
    first = outcomes(Path(one))
    second = {test: outcome for other in others for test, outcome in outcomes(Path(other)).items()}
    files = {_file(test) for test in first}
    found = differences(first, {test: outcome for test, outcome in second.items() if _file(test) in files})
    if found:
        sys.exit("\n".join((*found, f"{len(found)} tests differ between {one} and {' '.join(others)}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
