"""Rows said twice in one load: what says the same is kept once, what contradicts is told."""

from __future__ import annotations

from scrubber.reference.rows import DiagnosisNote
from scrubber.reference.storage.packer import Contradiction, distinct_rows
from scrubber.reference.tables import ICD10CM_NOTES


def note(conditional: bool) -> DiagnosisNote:
    return DiagnosisNote("M80", "excludes1", "M81", None, conditional, None, None, "typed")


def test_a_note_and_its_narrower_wording_are_two_notes() -> None:
    contradictions: list[Contradiction] = []
    kept = distinct_rows(ICD10CM_NOTES, [note(False), note(True), note(False)], contradictions)
    assert (kept, contradictions) == ([note(False), note(True)], [])
