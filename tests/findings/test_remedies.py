"""Fixes of a rule as data: which are offered, which lint refuses, and what is found once one is applied."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.authoring.run_tests import run_tests
from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.findings.remedies import OfferedRemedy
from scrubber.reference import open_reference
from scrubber.replay import read_answer, replay
from scrubber.response.claim import to_bytes, with_included
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import assemble
from tests.support.claims import Body, tbs_claim
from tests.support.rule_folders import PACK, RULE, put, rule_folder, with_lines

RECEIVED = date(2025, 11, 14)
FAMILY = """\
# yaml-language-server: $schema=../../family.schema.json
family: note
title: Note of a visit
codes: ["77092"]
elements: {linked: {type: text, about: diagnosis that the note links to the service, several: yes}}
"""
LISTS = """\
list,code,through,since,until,source
modifiers-that-bypass-edits,59,,,,sample
modifiers-that-bypass-edits,E1,E4,,,sample
modifiers-that-move-liability,GA,,,,sample
modifiers-that-move-liability,GZ,,,,sample
elements-that-no-fix-supplies,signature-indicator,,,,sample
"""
SHOWS = "when-record-shows: the services were separate"


def folder(path: Path, *remedies: str, cases: str = "", **keys: str) -> Path:
    """A folder whose rule finds every line of 77092 with more than one unit, and offers these fixes."""
    lines = {name: f"{name.replace('_', '-')}: {value}" for name, value in keys.items()}
    rule = with_lines(RULE, **lines, remedies="remedies:\n" + "".join(f"  - {{{each}}}\n" for each in remedies))
    pack = PACK + 'grammar: "2"\n'
    written = rule_folder(path, rule, pack=pack, lists=LISTS, **({"cases": cases} if cases else {}))
    put(written, "sample/families/note.yaml", FAMILY)
    return written


def claim(modifiers: tuple[str, ...] = (), linked: str | None = None) -> Body:
    """Two units of 77092 beside a visit, with two diagnoses, of which the first is pointed to."""
    body = tbs_claim()
    information = body["claimInformation"]
    first = information["serviceLines"][0]
    first["professionalService"] |= {"serviceUnitCount": "2", "procedureModifiers": [*modifiers]}
    visit = json.loads(json.dumps(first))
    visit["professionalService"] |= {"procedureCode": "99213", "serviceUnitCount": "1", "procedureModifiers": []}
    information["serviceLines"].append(visit)
    information["healthCareCodeInformation"] = [
        {"diagnosisTypeCode": "ABK", "diagnosisCode": "M810"},
        {"diagnosisTypeCode": "ABF", "diagnosisCode": "Z7952"},
    ]
    body["scrubContext"] = {"documentation": [{"lines": [1], "elements": {"linked": [linked]}}]} if linked else {}
    return body


def offered(written: Path, body: Body) -> list[dict[str, Any]]:
    """The fixes of the one finding, as the answer has them when they are asked for."""
    scrubber = assemble(load_rulebook(written), open_reference(None))
    result = scrubber.scrub(read_v3(body), RECEIVED)
    assert b"remedies" not in to_bytes(result)
    (finding,) = orjson.loads(with_included(result, ("remedies",)))["findings"]
    remedies: list[dict[str, Any]] = finding["remedies"]
    return remedies


def test_each_action_is_data_with_its_line_and_what_the_record_must_show(tmp_path: Path) -> None:
    written = folder(
        tmp_path,
        f'add-modifier: "59", {SHOWS}',
        "drop-modifier: TC",
        "change-units: 1, when-record-shows: one study was made",
        "drop-line: this",
        "supply: prior-authorization",
        "point-to: document.linked, when-record-shows: the note names it as the reason",
    )
    assert offered(written, claim(("TC",), linked="Z79.52")) == [
        {"number": 1, "action": "add-modifier", "line": 1, "modifier": "59",
         "whenRecordShows": "the services were separate"},
        {"number": 2, "action": "drop-modifier", "line": 1, "modifier": "TC"},
        {"number": 3, "action": "change-units", "line": 1, "units": "1", "whenRecordShows": "one study was made"},
        {"number": 4, "action": "drop-line", "line": 1},
        {"number": 5, "action": "supply", "line": 1, "element": "prior-authorization"},
        {"number": 6, "action": "point-to", "line": 1, "diagnosisPointer": 2, "diagnosis": "Z7952",
         "whenRecordShows": "the note names it as the reason"},
    ]  # fmt: skip


def test_what_is_so_already_is_not_offered(tmp_path: Path) -> None:
    written = folder(
        tmp_path,
        f'add-modifier: "59", {SHOWS}',
        "drop-modifier: TC",
        "change-units: 2, when-record-shows: two studies were made",
        "supply: claim-place",
    )
    assert offered(written, claim(("59",))) == []


@pytest.mark.parametrize("linked", [None, "M81.0", "E11.9"])
def test_a_pointer_is_offered_only_to_a_diagnosis_of_the_claim_that_the_note_links(
    tmp_path: Path, linked: str | None
) -> None:
    """Nothing said of the note; the diagnosis that is pointed to already; one that the claim does not have."""
    written = folder(tmp_path, "point-to: document.linked, when-record-shows: the note names it as the reason")
    assert offered(written, claim(linked=linked)) == []


def test_a_modifier_moves_to_the_related_line(tmp_path: Path) -> None:
    written = folder(
        tmp_path,
        f'move-modifier: "59", to: related, {SHOWS}',
        "drop-line: related",
        when='{some-other-line: {procedure: {any: ["99213"]}}}',
    )
    assert offered(written, claim(("59",))) == [
        {"number": 1, "action": "move-modifier", "line": 1, "toLine": 2, "modifier": "59",
         "whenRecordShows": "the services were separate"},
        {"number": 2, "action": "drop-line", "line": 2},
    ]  # fmt: skip


def test_units_may_come_from_an_amount_of_the_rule(tmp_path: Path) -> None:
    written = folder(
        tmp_path,
        "change-units: {fact: half}, when-record-shows: half of it was given",
        amounts="{half: {divided-by: [units, 2], rounded: down}}",
    )
    assert [each["units"] for each in offered(written, claim())] == ["1"]


def test_a_fix_prints_no_value_of_a_claim() -> None:
    fix = OfferedRemedy(1, "point-to", 1, diagnosis_pointer=2, diagnosis="M810")
    assert repr(fix) == "<OfferedRemedy point-to>"


def test_an_answer_with_fixes_is_replayed_with_them(tmp_path: Path) -> None:
    written = folder(tmp_path, "drop-modifier: TC")
    scrubber = assemble(load_rulebook(written), open_reference(None))
    sent = read_v3(claim(("TC",)))
    answer = with_included(scrubber.scrub(sent, RECEIVED), ("remedies",))
    assert replay(read_answer(answer), sent, written, None, None).same_bytes


@pytest.mark.parametrize(
    ("remedy", "message"),
    [
        ('add-modifier: "59"', "`add-modifier` of such a modifier needs `when-record-shows`"),
        ("add-modifier: E2", "`add-modifier` of such a modifier needs `when-record-shows`"),
        ("add-modifier: GA", "`add-modifier` of such a modifier needs `when-record-shows`"),
        ("drop-modifier: GZ", "`drop-modifier` of such a modifier needs `when-record-shows`"),
        ('move-modifier: "59", to: related', "`move-modifier` of such a modifier needs `when-record-shows`"),
        ("change-units: 1", "`change-units` needs `when-record-shows`"),
        ("point-to: document.linked", "`point-to` needs `when-record-shows`"),
        (f"point-to: firstDiagnosis, {SHOWS}", "`firstDiagnosis` must be what the note links to the service"),
        ("supply: signature-indicator", "no fix supplies `signature-indicator`: a fix never changes a diagnosis"),
        (
            "supply: prior-authorisation",
            "`prior-authorisation` is no element of a claim; perhaps `prior-authorization`",
        ),
        ("change-procedure: 77089", "there is no such action: a fix never changes a diagnosis or what was done"),
        ("add-diagnosis: M810", "there is no such action: a fix never changes a diagnosis or what was done"),
        ("get-abn: CMS-R-131", "there is no such action: a fix never changes a diagnosis or what was done"),
        ("backdate-signature: 2025-03-12", "there is no such action: a fix never changes a diagnosis"),
        ("add-modifier: XY1", "`XY1` is no modifier"),
        ("drop-line: other", "Must be one of: this, related"),
        ("drop-line: this, drop-modifier: TC", "needs exactly one action of: add-modifier"),
        ("move-modifier: TC", "`to` goes with move-modifier"),
    ],
)
def test_lint_refuses_what_no_fix_may_do(tmp_path: Path, remedy: str, message: str) -> None:
    written = folder(tmp_path, "drop-line: this", remedy)
    with pytest.raises(Faults) as caught:
        load_rulebook(written)
    (fault,) = caught.value.faults
    assert message in fault.message
    assert (fault.file, fault.line) == ("sample/family/sample-rule.yaml", 23)


def test_a_modifier_of_no_list_needs_no_word_of_the_record(tmp_path: Path) -> None:
    load_rulebook(folder(tmp_path, "add-modifier: JZ", "drop-modifier: TC"))


def test_without_the_lists_every_modifier_needs_it(tmp_path: Path) -> None:
    written = folder(tmp_path, "add-modifier: JZ")
    put(written, "sample/tables/lists.csv", LISTS.split("\n")[0] + "\n")
    with pytest.raises(Faults, match="needs `when-record-shows`"):
        load_rulebook(written)


CASE = """\
- name: two units, and the record shows one study
  claim: tbs
  change: {line.1.units: 2}
  finds: [{line: 1}]
  after-fix:
    - {remedy: 1, STATED finds: EXPECTED}
"""


@pytest.mark.parametrize(
    ("stated", "expected", "difference"),
    [
        ("record-shows: yes,", "[]", None),
        (
            "",
            "[]",
            "after remedy 1: remedy 1 is not applied before the record is stated to show that one study was made",
        ),
        ("record-shows: yes,", "[{line: 1}]", "after remedy 1: expected finding: line 1"),
    ],
)
def test_a_case_applies_a_fix_and_says_what_is_then_found(
    tmp_path: Path, stated: str, expected: str, difference: str | None
) -> None:
    cases = CASE.replace("STATED", stated).replace("EXPECTED", expected)
    written = folder(tmp_path, "change-units: 1, when-record-shows: one study was made", cases=cases)
    scrubber = assemble(load_rulebook(written), open_reference(None))
    (result,) = run_tests(scrubber, written)
    assert [each[: len(difference)] for each in result.differences] == [difference] if difference else result.passed
