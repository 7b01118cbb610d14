"""Rulebooks written before rules said what the program knew by itself: their facts and its lists go on working."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.authoring.run_tests import run_tests
from scrubber.errors import Faults
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import open_scrubber
from tests.support.rule_folders import RULE, rule_folder, with_lines

DAY = date(2025, 3, 12).toordinal()


def found(folder: Path, scope: str, when: str, change: str, lines: str = "[]") -> bool:
    """Whether a rule with this condition fires on the claim of the tests as it is changed."""
    rule = with_lines(RULE, scope=f"scope: {scope}", applies="applies: {}", when=f"when: {when}")
    rule = with_lines(rule, message="message: Sample.", at_risk="at-risk: nothing")
    case = f"- name: a case\n  claim: tbs\n  change: {{{change}}}\n  lines: {lines}\n  finds: []\n"
    rule_folder(folder, rule, case)
    (result,) = run_tests(open_scrubber(folder, None), folder)
    return not result.passed


@pytest.mark.parametrize(
    ("scope", "fact", "change", "is_so"),
    [
        ("claim", "totalAgrees", "claim.total: '60.00'", True),
        ("claim", "totalAgrees", "claim.total: '61.00'", False),
        ("claim", "icd9", "diagnosis.1.qualifier: BK", True),
        ("claim", "icd9", "diagnosis.1.qualifier: ABK", False),
        ("line", "categoryTwo", "line.1.procedure: 0001F", True),
        ("line", "categoryTwo", "line.1.procedure: '99213'", False),
        ("line", "componentInvalid", "line.1.procedure: '99213', line.1.modifiers: ['26']", True),
        ("line", "componentInvalid", "line.1.procedure: '99213', line.1.modifiers: []", False),
        ("line", "componentInvalid", "line.1.procedure: '77080', line.1.modifiers: ['26']", False),
    ],
)
def test_a_fact_of_an_earlier_time_is_what_it_was(
    tmp_path: Path, scope: str, fact: str, change: str, is_so: bool
) -> None:
    words = ("yes", "no") if is_so else ("no", "yes")
    assert found(tmp_path / "1", scope, f"{{fact: {fact}, is: {words[0]}}}", change)
    assert not found(tmp_path / "2", scope, f"{{fact: {fact}, is: {words[1]}}}", change)
    assert found(tmp_path / "3", scope, f"{{fact: {fact}, is-not: {words[1]}}}", change)


def test_a_fact_without_a_value_is_neither(tmp_path: Path) -> None:
    """No fee schedule has the code, so nobody knows whether it has components."""
    for number, word in enumerate(("yes", "no")):
        when = f"{{fact: componentInvalid, is: {word}}}"
        assert not found(tmp_path / str(number), "line", when, "line.1.procedure: '0791T', line.1.modifiers: ['26']")


def test_another_word_is_a_fault_with_its_line(tmp_path: Path) -> None:
    rule_folder(tmp_path, with_lines(RULE, when="when: {fact: categoryTwo, over: 1}"))
    with pytest.raises(Faults) as raised:
        load_rulebook(tmp_path)
    assert [(fault.line, fault.message) for fault in raised.value.faults] == [
        (16, "`categoryTwo` is one of yes, no: ask `is`, `is-not`, `any` or `none`")
    ]


def test_lists_that_the_program_had_itself_stand_in_for_those_that_a_rulebook_lacks(tmp_path: Path) -> None:
    book = load_rulebook(rule_folder(tmp_path / "without"))
    assert book.lists.contains("modifiers-of-liability", "GA", DAY)
    lists = "list,code,through,since,until,source\ntbs,77089,,,,sample\nmodifiers-of-liability,GX,,,,sample\n"
    book = load_rulebook(rule_folder(tmp_path / "with", lists=lists))
    assert book.lists.contains("modifiers-of-liability", "GX", DAY)
    assert not book.lists.contains("modifiers-of-liability", "GA", DAY)
