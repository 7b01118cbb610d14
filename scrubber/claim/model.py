"""The model of one professional claim, whatever form it was sent in: frozen, without look-ups or judgements.

Scalars that were absent are None. Scalars that were sent but could not be read are None too, and are listed in
`Claim.unreadable`. What only `scrubContext` can state is three-valued: a value, stated absent, or not supplied.
No class here prints its fields: a claim must not reach a log through a repr.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from msgspec import Struct

MOST_LINES = 50  # service lines of one professional claim (837P, loop 2400)


class Absence(Enum):
    """Why a supplied-on-request element has no value."""

    ABSENT = "absent"  # given as null or "": the sender says there is none
    NOT_SUPPLIED = "not-supplied"  # left out: nothing is known


ABSENT = Absence.ABSENT
NOT_SUPPLIED = Absence.NOT_SUPPLIED


class Unreadable(NamedTuple):
    """A scalar in the body that is not of the kind that its element has.

    `element` is a name of `vocabulary.ELEMENTS`; `expected` one of: text, amount, number, date, pointer, code.
    `line` is the 1-based service line, or None at claim level. The value itself is not kept.
    """

    element: str
    expected: str
    pointer: str
    line: int | None


class Flawed(NamedTuple):
    """An element that could be read and is not as the transaction allows: `fault` is a word of the facts of elements.

    `line` is the 1-based service line, or None at claim level. The value itself is not kept here.
    """

    element: str
    fault: str
    pointer: str
    line: int | None


class Normalised(NamedTuple):
    """Something understood although it was not sent as the v3 model says; `change` is one of our fixed texts."""

    pointer: str
    change: str


class Position(NamedTuple):
    """Where something stands in an X12 file. `element` is like SV101-2; `segment` counts the file's from 1."""

    loop: str
    element: str
    segment: int


class StructureFault(NamedTuple):
    """What is wrong with the structure of an X12 claim: `word` is one of `claim.x12.faults.FAULTS`.

    `at` is the segment, with its element where one is at fault; what the guide does not know has no name there.
    """

    word: str
    at: Position


class Resembling(NamedTuple):
    """A name in the body that the model does not know and that is probably a misspelling of `known_name`.

    `pointer` is its position; `line` the 1-based service line, or None at claim level.
    """

    pointer: str
    known_name: str
    line: int | None


def as_sent(pointer: str, moved: Mapping[str, str]) -> str:
    """The pointer of the same value in the sender's body. `moved`: the pointers of values that are elsewhere there."""
    head = pointer
    while head:
        if head in moved:
            return moved[head] + pointer[len(head) :]
        head = head.rpartition("/")[0]
    return pointer


class ClaimPart(Struct, frozen=True):
    """What a claim is made of: frozen, and made in a fraction of the time that a frozen dataclass takes."""

    def __repr__(self) -> str:
        """The class alone: a claim must not reach a log through a repr."""
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Nothing, for what prints objects by its own means; Struct would give it every field."""
        return []


class Address(ClaimPart, frozen=True):
    """A postal address; `zip` is digits only (5 or 9), or as sent when it has other characters."""

    line1: str | None
    city: str | None
    state: str | None
    zip: str | None


class Provider(ClaimPart, frozen=True):
    """A billing, rendering, ordering, referring or supervising provider, or a service facility.

    `pointer` is its position in the body, or would be.
    """

    pointer: str
    npi: str | None = None
    taxonomy: str | None = None
    organization: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    tax_id: str | None = None
    address: Address | None = None


class Person(ClaimPart, frozen=True):
    """Subscriber or patient. `pointer` is /subscriber or /dependent."""

    pointer: str
    member_id: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    address: Address | None = None
    relationship: str | None = None
    organization: str | None = None


class Diagnosis(ClaimPart, frozen=True):
    """A diagnosis at its position (1-based) on the claim, upper case, no dot; `qualifier` is ABK, ABF, BK or BF."""

    position: int
    pointer: str
    qualifier: str | None
    code: str | None


class ServiceLine(ClaimPart, frozen=True):
    """One service line, `number` counted from 1 in the sender's order.

    `pointer` addresses the line, `service_pointer` its professionalService (the line itself when it is flat).
    `charge` is the line total in dollars. `first_day` and `last_day` are equal for a single day. `place` is the
    line's place of service, else None (the claim's then counts). `pointers` are 1-based diagnosis positions in the
    order sent, also those past the diagnoses there are. Providers are None where the line names none.
    `ndc` is the drug code; `control_number` the sender's line number.
    """

    number: int
    pointer: str
    service_pointer: str
    qualifier: str | None
    procedure: str | None
    modifiers: tuple[str, ...]
    charge: Decimal | None
    unit_code: str | None
    units: Decimal | None
    first_day: date | None
    last_day: date | None
    place: str | None
    pointers: tuple[int, ...]
    rendering: Provider | None = None
    ordering: Provider | None = None
    referring: Provider | None = None
    facility: Provider | None = None
    ndc: str | None = None
    control_number: str | None = None


class FurtherElement(ClaimPart, frozen=True):
    """An element of documentation that the reader has no name for: a family of the rulebook may declare it.

    `name` is the flat one without numbers of entries (`administrations.minutes`); `pointer` is its own. It stands at
    `within`, or in the object or list there, which is what the reader did not know.
    """

    name: str
    pointer: str
    within: str


class Documentation(ClaimPart, frozen=True):
    """One documentation block: what the sender states about the report for some lines.

    `elements` maps flat names to a text or to ABSENT; a name that is missing was not supplied. Flat names are those
    of `scrubContext.documentation[].elements`, nested ones joined with a dot (`signature.npi`, `sourceStudy.code`),
    entries of lists by their number (`administrations.0.minutes`); a nested object or list given as null or "" is
    `{"signature": ABSENT}`, one with content also has `{"signature": "given"}`. Booleans arrive as "true" and "false".
    `unreadable` are the flat names of what was sent and is no text, number or truth. `further` are the elements that
    only a family can declare.
    """

    pointer: str
    lines: tuple[int, ...]
    elements: Mapping[str, str | Absence]
    unreadable: frozenset[str] = frozenset()
    further: tuple[FurtherElement, ...] = ()


class Abn(ClaimPart, frozen=True):
    """One advance beneficiary notice. All may be ABSENT (given as null or "") or NOT_SUPPLIED (left out).

    `refused`: the patient would not sign; `witnesses` is how many people saw it.
    """

    pointer: str
    lines: tuple[int, ...]
    form: str | Absence
    issued: date | Absence
    signed: date | Absence
    option: str | Absence
    estimate: str | Absence
    reason: str | Absence
    refused: bool | Absence
    witnesses: Decimal | Absence


class EarlierService(ClaimPart, frozen=True):
    """A service the patient had before this claim. `charge` and `allowed` are dollars for all of its units.

    Each further value may be ABSENT (given as null or "") or NOT_SUPPLIED (left out, or sent and not readable: then
    its name is in `unreadable`). A service of which no modifiers are said has none. `care_from` and `care_to` are the
    days on which the provider took over and gave up the care that the service was part of.
    """

    code: str
    day: date
    modifiers: tuple[str, ...] = ()
    rendering_npi: str | Absence = Absence.NOT_SUPPLIED
    units: Decimal | Absence = Absence.NOT_SUPPLIED
    charge: Decimal | Absence = Absence.NOT_SUPPLIED
    allowed: Decimal | Absence = Absence.NOT_SUPPLIED
    billing_npi: str | Absence = Absence.NOT_SUPPLIED
    taxonomy: str | Absence = Absence.NOT_SUPPLIED
    diagnoses: tuple[str, ...] | Absence = Absence.NOT_SUPPLIED
    care_from: date | Absence = Absence.NOT_SUPPLIED
    care_to: date | Absence = Absence.NOT_SUPPLIED
    pointer: str = ""
    unreadable: frozenset[str] = frozenset()


class UnusableService(ClaimPart, frozen=True):
    """A row of the history whose code or day is missing or cannot be read: of the rest of it nothing is kept."""

    pointer: str
    code: str | None
    day: date | None


class Span(ClaimPart, frozen=True):
    """Days from one to another, both included; an end is None where it is left out or cannot be read."""

    first: date | None
    last: date | None


class Context(ClaimPart, frozen=True):
    """`scrubContext`: what the v3 body has no element for.

    `abn`, `history` and `hospice` are None when not supplied and empty when stated absent. `unusable_history` are rows
    that only show that the history is longer than what can be read of it. It goes back to `history_from`;
    `history_scope` says whose services are in it: those that the group, or the payer, knows of, or all. `locality` is
    "CCCCC-LL", "national" or None; `participation` "par", "nonpar" or None.
    """

    documentation: tuple[Documentation, ...] = ()
    abn: tuple[Abn, ...] | None = None
    history: tuple[EarlierService, ...] | None = None
    unusable_history: tuple[UnusableService, ...] = ()
    history_from: date | None = None
    history_complete: bool | None = None
    history_scope: str | None = None
    plan: str | None = None
    product: str | None = None
    qmb: bool | None = None
    hospice: tuple[Span, ...] | None = None
    eligibility_checked: date | None = None
    locality: str | None = None
    participation: str | None = None
    qualifying_apm: bool | None = None
    received_on: date | None = None


class Claim(ClaimPart, frozen=True):
    """One claim, read but not judged. `patient` is the dependent when there is one, else the subscriber.

    `total` is dollars. `texts` are present-or-absent scalars that are only checked for presence or against a code
    list, by element name (see `vocabulary.ELEMENTS`): filing indicator, signature flags and the like.
    `lines_sent` is how many service lines the body has: of more than a claim can hold only the first are in `lines`.

    Pointers in here use the names of the model. `moved` has the pointers of values that the sender wrote elsewhere:
    `pointer_as_sent`. `resembling` are names that are probably misspelled and were not read; `corrected` is the claim
    with them read as the known names, None where there are none.

    `body` is what was sent, with the model's names and its values read: `claim.whole` finds any element in it. `flawed`
    are elements that are too long, too many or not in their list.

    Of a claim that came as X12, `position` says where in the file an element with a pointer stands, `faults` what is
    wrong with its segments.
    """

    control_number: str | None
    payer_id: str | None
    payer_name: str | None
    filing_indicator: str | None
    subscriber: Person
    patient: Person
    billing: Provider
    rendering: Provider | None
    ordering: Provider | None
    referring: Provider | None
    supervising: Provider | None
    facility: Provider | None
    patient_control_number: str | None
    total: Decimal | None
    place: str | None
    frequency: str | None
    original_claim_number: str | None
    texts: Mapping[str, str]
    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[ServiceLine, ...]
    context: Context
    unreadable: tuple[Unreadable, ...] = ()
    normalised: tuple[Normalised, ...] = ()
    unmapped: tuple[str, ...] = ()
    lines_sent: int = 0
    moved: Mapping[str, str] | None = None
    resembling: tuple[Resembling, ...] = ()
    corrected: Claim | None = None
    position: Callable[[str, str], Position | None] | None = None
    faults: tuple[StructureFault, ...] = ()
    flawed: tuple[Flawed, ...] = ()
    body: Mapping[str, Any] | None = None

    @property
    def too_long(self) -> bool:
        """Whether it has more lines than a claim can hold."""
        return self.lines_sent > MOST_LINES

    def pointer_as_sent(self, pointer: str) -> str:
        """The pointer of the same value in the sender's body."""
        return as_sent(pointer, self.moved) if self.moved else pointer
