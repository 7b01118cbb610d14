"""Makes the facts of diagnoses: codes that are not billable, and pairs that the tabular list excludes.

Nothing is said of a code that is in force and that no note speaks against, which is nearly all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from scrubber.claim.code_values import ICD9_QUALIFIERS
from scrubber.claim.model import Claim, Diagnosis, Person
from scrubber.facts.fact import Fact, LookUps
from scrubber.facts.service_lines import payer_fields
from scrubber.reference import Reference
from scrubber.reference.rows import DiagnosisNote
from scrubber.remembered import remembered
from scrubber.rulebook.rule_tables import Payer

ICD10CM = "icd10cm"
SEXES = {"F": "female", "M": "male"}
SEVENTH = 7  # characters of a code that needs a 7th; those before it are filled with X
_OF_CODE = (("diagnosis", "code"), ("is_diagnosis_header", "code"), ("diagnosis_notes", "code"))
DIAGNOSIS_LOOK_UPS: LookUps = dict.fromkeys(
    ("standing", "excludedPair", "underlyingFirst", "onlyForSex", "outsideAges"), _OF_CODE
)
REMEMBERED = 16_384  # codes, by day, that a process remembers


class _CodeEntry(NamedTuple):
    """What the tables say of a code on a day. `letters` begin the `excluded`; `ages`: youngest and oldest in years."""

    standing: str
    characters: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]
    letters: frozenset[str]
    underlying_first: bool
    sex: str | None
    ages: tuple[int, int] | None

    def excludes(self, code: str) -> bool:
        """Whether an Excludes1 note keeps it apart from a code."""
        if code[0] not in self.letters:  # as for most; this is asked of every pair of diagnoses
            return False
        return any(first <= code and code[: len(through)] <= through for first, through in self.excluded)


def diagnosis_facts(claim: Claim, payer: Payer, day: date, reference: Reference) -> Iterator[Fact]:
    """One fact for each ICD-10-CM code that something is to be said of, on a day that the tables reach."""
    if reference.silent(ICD10CM, day):
        return  # a list judges its own days only; notChecked says that this is none of them
    earlier: list[tuple[str, _CodeEntry]] = []
    for diagnosis in claim.diagnoses:
        if diagnosis.code is None or diagnosis.qualifier in ICD9_QUALIFIERS:
            continue
        entry = _code_entry(reference, diagnosis.code, day)
        others = _excluded_codes(diagnosis.code, entry, earlier)
        values = _values(diagnosis, entry, others, claim.patient, day)
        if values or entry.standing != "in-force":
            yield _fact(claim, payer, day, diagnosis, entry, others, values)
        earlier.append((diagnosis.code, entry))


def _fact(
    claim: Claim,
    payer: Payer,
    day: date,
    diagnosis: Diagnosis,
    entry: _CodeEntry,
    others: tuple[str, ...],
    values: dict[str, Any],
) -> Fact:
    stated = {"day": day.toordinal(), "code": diagnosis.code, "standing": entry.standing}
    lines = tuple(line.number for line in claim.lines if diagnosis.position in line.pointers)
    message_words = {
        "characters": ", ".join(entry.characters),
        "others": ", ".join(others),
        "ages": _in_words(entry.ages),
    }
    evidence = {"excludes1": others} if others else {}
    pointer = diagnosis.pointer + "/diagnosisCode"
    return Fact(
        "diagnosis",
        payer_fields(payer) | stated | values,
        lines,
        pointer=pointer,
        message_words=message_words,
        evidence=evidence,
    )


def _values(
    diagnosis: Diagnosis, entry: _CodeEntry, others: tuple[str, ...], patient: Person, day: date
) -> dict[str, Any]:
    """What stands against the code beside its standing; only that is set."""
    values: dict[str, Any] = {}
    if others:
        values["excludedPair"] = True
    if entry.underlying_first and diagnosis.position == 1:
        values["underlyingFirst"] = True
    if entry.sex and SEXES.get(patient.sex or "", entry.sex) != entry.sex:
        values["onlyForSex"] = entry.sex
    if entry.ages and patient.birth_date and not entry.ages[0] <= _age(patient.birth_date, day) <= entry.ages[1]:
        values["outsideAges"] = True
    return values


def _excluded_codes(code: str, entry: _CodeEntry, earlier: Sequence[tuple[str, _CodeEntry]]) -> tuple[str, ...]:
    """Codes before it that a note of either keeps apart from it: each pair is told once, at the later code."""
    if not entry.letters:
        return tuple([other for other, other_entry in earlier if other_entry.letters and other_entry.excludes(code)])
    return tuple(
        [
            other
            for other, other_entry in earlier
            if other != code and (entry.excludes(other) or other_entry.excludes(code))
        ]
    )


def _age(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _in_words(ages: tuple[int, int] | None) -> str:
    if ages is None:
        return ""
    return f"{ages[0]} years or older" if ages[1] == _NO_LIMIT else f"{ages[0]} to {ages[1]} years"


_NO_LIMIT = 999  # years


@remembered(REMEMBERED)
def _code_entry(reference: Reference, code: str, day: date) -> _CodeEntry:
    notes = reference.diagnosis_notes(code, day)
    characters = tuple(note.other for note in notes if note.kind == "seventh-character" and note.other)
    excluded = tuple(_excluded(notes, code))
    sexes = {note.other for note in notes if note.kind == "sex"}
    return _CodeEntry(
        _standing(reference, code, day, characters),
        characters,
        excluded,
        frozenset(chr(letter) for first, through in excluded for letter in range(ord(first[0]), ord(through[0]) + 1)),
        any(note.kind == "code-first" and not note.conditional for note in notes),
        sexes.pop() if len(sexes) == 1 else None,
        next((_ages(note) for note in notes if note.kind == "age"), None),
    )


def _ages(note: DiagnosisNote) -> tuple[int, int]:
    return int(note.other or 0), int(note.through or _NO_LIMIT)


def _excluded(notes: Sequence[DiagnosisNote], code: str) -> Iterator[tuple[str, str]]:
    """Codes and ranges of Excludes1 notes, except those that the code itself lies in: they are meant otherwise."""
    for note in notes:
        if note.kind == "excludes1" and note.other and not note.conditional:
            through = note.through or note.other
            if not note.other <= code or code[: len(through)] > through:
                yield note.other, through


def _standing(reference: Reference, code: str, day: date, characters: Sequence[str]) -> str:
    standing = reference.diagnosis(code, day)
    if standing != "unknown":
        return standing
    if characters and len(code) <= SEVENTH:
        filled = code[: SEVENTH - 1].ljust(SEVENTH - 1, "X")
        if any(reference.diagnosis(filled + character, day) == "in-force" for character in characters):
            return "seventh-character-wrong" if len(code) == SEVENTH else "seventh-character-missing"
    if reference.is_diagnosis_header(code, day):
        return "header"
    return "not-listed" if reference.is_complete(ICD10CM, day) else standing
