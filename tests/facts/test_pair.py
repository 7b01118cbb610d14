"""Pairs of codes that a rule names: one fact a pair, with or without an edit, and what was said of the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrubber.authoring.run_tests import run_tests
from scrubber.scrub import open_scrubber
from tests.support.rule_folders import RULE, rule_folder, with_lines

FOUND = "finds: [{line: 2, related: [1]}]"


def differences(folder: Path, case: str, first: str, second: str, **lines: str) -> tuple[str, ...]:
    """How a case of a rule that names a pair comes out; line 1 of its claim is 77092."""
    applies = f'applies: {{first: "{first}", second: "{second}"}}'
    message = 'message: "Line {line} ({second}) beside line {related} ({first}), edit {edit}."'
    rule = with_lines(RULE, scope="scope: pair", applies=applies, message=message, **lines)
    rules = rule_folder(folder, rule, f"- name: x\n  claim: tbs\n{case}\n")
    return run_tests(open_scrubber(rules, None), rules)[0].differences


@pytest.mark.parametrize(
    ("first", "second", "edit", "finds"),
    [
        ("77092", "77080", "no", FOUND),
        ("77080", "77092", "no", "finds: [{line: 1, related: [2]}]"),
        ("77092", "77089", "yes", FOUND),
        ("77089", "77092", "yes", "finds: [{line: 1, related: [2]}]"),
        ("77092", "77092", "no", FOUND),
    ],
)
def test_a_named_pair_is_one_fact_whatever_edit_joins_it(
    tmp_path: Path, first: str, second: str, edit: str, finds: str
) -> None:
    added = second if first == "77092" else first
    case = f"  lines: [{{procedure: '{added}'}}]\n  {finds.replace('}', f', message: edit {edit}}}')}"
    assert differences(tmp_path, case, first, second, when=f'when: {{fact: first, is: "{first}"}}') == ()


@pytest.mark.parametrize("apart", ["date: '2025-03-11'", "rendering-npi: '1555666779'"])
def test_lines_of_two_days_or_providers_are_no_pair(tmp_path: Path, apart: str) -> None:
    case = f"  lines: [{{procedure: '77080', {apart}}}]\n  finds: []"
    assert differences(tmp_path, case, "77092", "77080", when="when: {fact: edit, is: no}") == ()


@pytest.mark.parametrize(("said", "expected"), [("null", FOUND), ("yes", "finds: []")])
def test_support_of_a_modifier_is_known_of_a_named_pair(tmp_path: Path, said: str, expected: str) -> None:
    asked = {
        "when": "when: {fact: modifierSupport, is: absent}",
        "needs": "needs: [modifierSupport]",
        "not_checked": "not-checked: Nothing was said of line {line}.",
    }
    case = f"  lines: [{{procedure: '77080'}}]\n  change: {{documentation.modifierSupport: {said}}}\n  {expected}"
    assert differences(tmp_path / "said", case, "77092", "77080", **asked) == ()
    silent = "  lines: [{procedure: '77080'}]\n  not-checked: [{line: 2, missing: [modifierSupport]}]"
    assert differences(tmp_path / "silent", silent, "77092", "77080", **asked) == ()
