"""Times that reports state: minutes that two services share, clock times, and what the report of another line says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.reference import open_reference
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import assemble
from tests.relations.one_rule import claim_of
from tests.support.rule_folders import PACK, RULE, put, rule_folder, with_lines

RECEIVED = date(2025, 11, 14)
FAMILY = """\
# yaml-language-server: $schema=../../family.schema.json
family: record
title: Record of anesthesia
codes: ["77092", "77089"]
elements:
  starts: {type: time, about: when the service began}
  stops: {type: time, about: when the service ended}
"""
SHARED = """\
amounts:
  at-once:
    count: other-lines
    amounts:
      both-run:
        minutes-shared-by: [document.starts, document.stops]
        and: [this.document.starts, this.document.stops]
    both-run: {over: 0}"""
LATE = "amounts: {begins: {clock-time-of: document.starts}}"
Times = tuple[str, str] | None  # None: no report was sent


def findings(path: Path, amounts: str, when: str, *reports: Times) -> tuple[list[int], list[int]]:
    """The lines of 77092 that are found and those that were not checked, of lines with these times in their reports."""
    rule = with_lines(RULE, look_up=amounts, when=f"when: {when}", message='message: "Line {line} is odd."')
    folder = rule_folder(path, rule, pack=PACK + 'grammar: "2"\n')
    put(folder, "sample/families/record.yaml", FAMILY)
    documentation = [
        {"lines": [number], "elements": {"starts": times[0], "stops": times[1]}}
        for number, times in enumerate(reports, start=1)
        if times is not None
    ]
    body = claim_of(*({"code": "77092"} for _ in reports), documentation=documentation)
    result = assemble(load_rulebook(folder), open_reference(None)).scrub(read_v3(body), RECEIVED)
    found = sorted(line for each in result.findings if each.rule.id == "sample-rule" for line in each.lines)
    return found, sorted(line for each in result.not_checked if each.rule.id == "sample-rule" for line in each.lines)


@pytest.mark.parametrize(
    ("first", "second", "found", "unchecked"),
    [
        (("202503120900", "202503121000"), ("202503120959", "202503121100"), [1, 2], []),  # a minute
        (("202503120900", "202503121000"), ("202503121000", "202503121100"), [], []),  # one after the other
        (("202503122330", "202503130030"), ("202503130000", "202503130100"), [1, 2], []),  # over midnight
        (("202503120900", "202503121000"), ("202503130900", "202503131000"), [], []),  # the same hours of the next day
        (("202503120900", "202503121000"), None, [], [1, 2]),  # nobody knows when the other one was
    ],
)
def test_services_that_share_minutes(
    tmp_path: Path, first: Times, second: Times, found: list[int], unchecked: list[int]
) -> None:
    """Each line is held against what the report of the other one states."""
    assert findings(tmp_path, SHARED, "{fact: at-once, over: 0}", first, second) == (found, unchecked)


@pytest.mark.parametrize(
    ("starts", "found"),
    [("202503122200", [1]), ("202503122159", []), ("202503130000", []), ("202503122359", [1])],
)
def test_a_clock_time_has_no_day(tmp_path: Path, starts: str, found: list[int]) -> None:
    when = '{fact: begins, on-or-after: "22:00"}'
    assert findings(tmp_path, LATE, when, (starts, "202503130100")) == (found, [])


def test_what_the_report_of_another_line_states(tmp_path: Path) -> None:
    """`document.X` within a relation to lines is of that line, `this.document.X` of the one in hand."""
    when = "{some-other-line: {document.starts: {is: {fact: this.document.stops}}}}"
    reports = ("202503120900", "202503121000"), ("202503121000", "202503121100")
    assert findings(tmp_path, "amounts: {}", when, *reports) == ([1], [])
