"""Defines the rows of the reference tables of codes, modifiers, providers, edits and diagnoses.

`since` is the first day in force, `until` the first day no longer in force; None = open. `source` is a short citation.
Field names are the columns of the CSV files. Rows of fees and of coverage are in `fee_rows` and `coverage_rows`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

CodeStatus = Literal["in-force", "not-yet-in-force", "ended", "unknown"]
# What the absence of a code means: nothing; that the code set has no such code; that the fee schedule has no such code.
MeaningOfAbsence = Literal["unknown", "not-listed", "not-on-fee-schedule"]


class StateContractor(NamedTuple):
    """A Part B contractor for a state or a part of it; a split state has several rows."""

    state: str
    contractor: str
    name: str
    since: date | None
    until: date | None
    source: str


class Procedure(NamedTuple):
    """A CPT or HCPCS code and the days on which it may be billed; never its descriptor."""

    code: str
    since: date | None
    until: date | None
    source: str


ModifierGroup = Literal[
    "anatomic", "global-surgery-em", "global-surgery", "laboratory", "mammography", "other", "distinct", ""
]


class Modifier(NamedTuple):
    """A modifier; `ncci`: the group through which it may separate the codes of a PTP pair, blank when it may not."""

    code: str
    ncci: ModifierGroup
    since: date | None
    until: date | None
    source: str


ProviderClass = Literal[
    "physician",
    "nurse-practitioner",
    "physician-assistant",
    "clinical-nurse-specialist",
    "clinical-social-worker",
    "marriage-and-family-therapist",
    "mental-health-counselor",
    "dietitian",
    "technologist",
    "nurse",
    "laboratory",
]


class Taxonomy(NamedTuple):
    """What providers are whose taxonomy code starts with `prefix`, and the share of the fee that Medicare pays them.

    `percent` 1.00 means no reduction; who may render what is for the rules. `verified`: whether the percentage was
    read in a publication; where it was not, amounts that rest on it say so.
    """

    prefix: str
    provider_class: ProviderClass
    percent: Decimal
    since: date | None
    until: date | None
    source: str
    verified: bool = True


class HcpcsCode(NamedTuple):
    """A HCPCS Level II procedure code and the days on which it may be billed; CPT codes are in other tables."""

    code: str
    since: date | None
    until: date | None
    source: str


class HcpcsModifier(NamedTuple):
    """A HCPCS Level II modifier and the days on which it may be used; what it does is in other tables."""

    code: str
    since: date | None
    until: date | None
    source: str


class OrderingProvider(NamedTuple):
    """What a provider may order or refer under Medicare: Part B services, equipment, home health and so on."""

    npi: str
    part_b: bool
    equipment: bool
    home_health: bool
    power_mobility: bool
    hospice: bool
    since: date | None
    until: date | None
    source: str


class EnumeratedProvider(NamedTuple):
    """An NPI of the national registry. `since`: its first day; `until`: when it was deactivated, unless it came back.

    `entity` is None for a deactivated NPI, of which nothing else is published. `taxonomies` are codes separated by
    blanks, the primary one first.
    """

    npi: str
    entity: Literal["person", "organization"] | None
    taxonomies: str
    deactivated: date | None
    reactivated: date | None
    since: date | None
    until: date | None
    source: str


class AdjustmentCode(NamedTuple):
    """A claim adjustment group or reason code (CARC) or remark code (RARC), and its days; never its text."""

    code: str
    kind: Literal["group", "carc", "rarc"]
    since: date | None
    until: date | None
    source: str


NEVER: Literal["9"] = "9"  # indicator of an edit that was never in force


class PtpEdit(NamedTuple):
    """One window of an NCCI procedure-to-procedure edit: column 2 is denied beside column 1.

    `deleted` is the last day in force, as CMS publishes it. Indicator 9: never in force.
    """

    column1: str
    column2: str
    indicator: Literal["0", "1", "9"]
    since: date | None
    deleted: date | None
    rationale: str
    source: str

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.deleted is None else self.deleted + timedelta(days=1)


class AddOn(NamedTuple):
    """An add-on code and a code that it may be billed with; `primary` CCCCC: the contractor decides.

    `kind` 1: these primaries only; 2: the contractor's list; 3: these and more of the contractor's. `deleted` is the
    last day in force, as CMS publishes it.
    """

    code: str
    primary: str
    kind: Literal["1", "2", "3"]
    since: date | None
    deleted: date | None
    source: str

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.deleted is None else self.deleted + timedelta(days=1)


class Mue(NamedTuple):
    """Most units of a code for one patient, provider and day; adjudicated by line (1) or by day (2, 3)."""

    code: str
    units: int
    indicator: Literal["1", "2", "3"]
    since: date | None
    until: date | None
    source: str


class BillableDiagnosis(NamedTuple):
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
    """A note of the tabular list at a code, for every code that begins with `code`. Never the note's text.

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
