"""Look-ups of facts: what one row of each table of ICD-10-CM says.

`since` is the first day in force, `until` the first day no longer; None = open. `source` is a short citation.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple


class Diagnosis(NamedTuple):
    """A billable ICD-10-CM code, without its dot."""

    code: str
    since: date | None
    until: date | None
    source: str


class DiagnosisHeader(NamedTuple):
    """An ICD-10-CM code, without its dot, that is divided further: not billable until it has all its characters."""

    code: str
    since: date | None
    until: date | None
    source: str


DiagnosisNoteKind = Literal[
    "excludes1", "excludes2", "code-first", "use-additional", "code-also", "seventh-character", "sex", "age"
]


class DiagnosisNote(NamedTuple):
    """What the tabular list says at a code; it holds for every code that begins with `code`. Never the note's text.

    `other` is, by kind: a code that the note names, and every code that begins with it (through those of `through`,
    where a range is named); one 7th character; `female` or `male`; the youngest age in years, `through` the oldest.
    None: the note names no code. `conditional`: words of the note narrow it further ("if applicable", "with fifth
    character 9"), so that the codes alone do not decide.
    """

    code: str
    kind: DiagnosisNoteKind
    other: str | None
    through: str | None
    conditional: bool
    since: date | None
    until: date | None
    source: str
