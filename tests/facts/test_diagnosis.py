"""What is said of diagnoses: what they lack, and what the notes of the tabular list have against them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.facts.diagnosis import diagnosis_facts
from scrubber.reference import Reference
from scrubber.reference.rows import BillableDiagnosis, DiagnosisHeader, DiagnosisNote, HcpcsCode, HcpcsModifier
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from scrubber.rulebook.rule_tables import Payer
from tests.support.claims import office_claim
from tests.support.published import typed_folder

DAY = date(2025, 6, 1)
MEDICARE = Payer(None, "original-medicare", None, None)


def note(code: str, kind: Any, other: str | None = None, through: str | None = None, *, if_: bool = False) -> Any:
    return DiagnosisNote(code, kind, other, through, if_, None, None, "made")


def opened(folder: Path, *notes: Any) -> Reference:
    codes = ["A000", "A00011A", "A0002XD", "B100", "B20", "B25", "C300", "E08"]
    tables: dict[str, Any] = {
        "icd10cm": [BillableDiagnosis(code, None, None, "made") for code in codes],
        "icd10cm-headers": [DiagnosisHeader(code, None, None, "made") for code in ("A00", "A0001", "A00011", "B10")],
        "icd10cm-notes": notes or [note("Z99", "excludes2", "Z98")],
        "hcpcs": [HcpcsCode("G9999", None, date(2025, 6, 1), "made"), HcpcsCode("G9998", None, None, "made")],
        "hcpcs-modifiers": [HcpcsModifier("9Z", None, date(2025, 7, 1), "made")],
    }
    contents = read_contents(typed_folder(folder, tables))
    return Reference(MemoryBackend(contents.tables, contents.releases))


def said(reference: Reference, *codes: str, sex: str = "F", born: str = "19500214") -> dict[str, dict[str, Any]]:
    """What the facts of these diagnoses hold, by code."""
    body = office_claim()
    body["claimInformation"]["healthCareCodeInformation"] = [
        {"diagnosisTypeCode": "ABF" if number else "ABK", "diagnosisCode": code} for number, code in enumerate(codes)
    ]
    body["subscriber"] |= {"gender": sex, "dateOfBirth": born}
    facts = diagnosis_facts(read_v3(body), MEDICARE, DAY, reference)
    kept = ("excludedPair", "underlyingFirst", "onlyForSex", "outsideAges")
    return {
        fact.values["code"]: {"standing": fact.values["standing"]}
        | {key: fact.values[key] for key in kept if key in fact.values}
        | ({"others": fact.message_words["others"]} if fact.message_words["others"] else {})
        for fact in facts
    }


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("A00", "header"),
        ("A0001", "header"),
        ("A00011", "seventh-character-missing"),
        ("A0002", "seventh-character-missing"),
        ("A0002X", "seventh-character-missing"),
        ("A00011B", "seventh-character-wrong"),
        ("A0003XA", "unknown"),
        ("B10", "header"),
        ("B101", "unknown"),
    ],
)
def test_what_a_code_lacks(tmp_path: Path, code: str, standing: str) -> None:
    reference = opened(tmp_path, note("A00", "seventh-character", "A"), note("A00", "seventh-character", "D"))
    assert said(reference, code)[code]["standing"] == standing


def test_nothing_is_said_of_sound_codes(tmp_path: Path) -> None:
    notes = [note("A00", "excludes1", "B99"), note("A000", "code-first", if_=True), note("B20", "sex", "female")]
    assert said(opened(tmp_path, *notes), "A000", "B20", "C300") == {}


def test_a_pair_is_kept_apart_once_whichever_has_the_note(tmp_path: Path) -> None:
    of_earlier = said(opened(tmp_path, note("A00", "excludes1", "B10")), "A000", "C300", "B100")
    of_later = said(opened(tmp_path, note("B10", "excludes1", "A00")), "A000", "C300", "B100")
    both = said(opened(tmp_path, note("A00", "excludes1", "B10"), note("B10", "excludes1", "A00")), "A000", "B100")
    once = {"B100": {"standing": "in-force", "excludedPair": True, "others": "A000"}}
    assert of_earlier == of_later == both == once


def test_ranges_of_an_excludes_note_reach_to_their_last_category(tmp_path: Path) -> None:
    reference = opened(tmp_path, note("A00", "excludes1", "B10", "B20"))
    assert set(said(reference, "A000", "B100", "B20", "B25")) == {"B100", "B20"}


def test_notes_that_words_narrow_or_that_name_the_code_itself_keep_nothing_apart(tmp_path: Path) -> None:
    reference = opened(tmp_path, note("A00", "excludes1", "B10", if_=True), note("B20", "excludes1", "B10", "B25"))
    assert said(reference, "A000", "B100", "B20") == {}


def test_the_underlying_condition_belongs_first(tmp_path: Path) -> None:
    reference = opened(tmp_path, note("E08", "code-first", "C30"))
    assert said(reference, "E08", "C300") == {"E08": {"standing": "in-force", "underlyingFirst": True}}
    assert said(reference, "C300", "E08") == {}


@pytest.mark.parametrize(("sex", "told"), [("M", True), ("F", False), ("U", False)])
def test_sex(tmp_path: Path, sex: str, told: bool) -> None:
    found = said(opened(tmp_path, note("B20", "sex", "female")), "B20", sex=sex)
    assert found == ({"B20": {"standing": "in-force", "onlyForSex": "female"}} if told else {})


@pytest.mark.parametrize(
    ("born", "told"), [("20050602", True), ("20050601", False), ("19440602", False), ("19440601", True)]
)
def test_ages_by_birthdays(tmp_path: Path, born: str, told: bool) -> None:
    found = said(opened(tmp_path, note("B20", "age", "20", "80")), "B20", born=born)
    assert found == ({"B20": {"standing": "in-force", "outsideAges": True}} if told else {})


def test_hcpcs_codes_and_modifiers_are_known_beside_cpt(tmp_path: Path) -> None:
    reference = opened(tmp_path)
    assert [reference.procedure(code, DAY) for code in ("G9998", "G9999", "G9997")] == ["in-force", "ended", "unknown"]
    assert reference.procedure("77080", DAY) == "in-force"
    modifier = reference.modifier("9Z", DAY)
    assert modifier is not None
    assert modifier.ncci == ""
    assert reference.modifier("9Z", date(2025, 7, 1)) is None
