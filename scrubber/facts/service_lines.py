"""Joins each service line with what the claim states for all: who rendered it, where, when, for which diagnoses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.model import Claim, Provider, ServiceLine
from scrubber.facts.fact import LookUps
from scrubber.reference import Reference
from scrubber.reference.rows import Taxonomy
from scrubber.remembered import remembered
from scrubber.rulebook.field import DECIMAL_PLACES, UNKNOWN
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import CodeLists

HUNDRED, MILLION = Decimal(100), Decimal(10) ** DECIMAL_PLACES
REMEMBERED = 4_096  # places of service, by day, that a process remembers
READ: frozenset[str] = frozenset()  # nothing that could not be read
WHO = frozenset(("rendering-npi", "billing-npi"))
TOGETHER = WHO | {"service-date-end"}  # who and when: what joins two lines

PLACE_ROW = ("place_of_service", "place")
SHARED_LOOK_UPS: LookUps = {"setting": (PLACE_ROW,)}


class LineView(NamedTuple):
    """A service line in its claim, `number` counted from 1 in the sender's order.

    `first` and `last` are None when the date of service is missing or unreadable.

    `rendering` is the line's rendering provider, else the claim's, else a billing provider who is a person, else
    None. `provider` identifies who furnished it for edits: rendering NPI, else billing NPI, else "".
    `profession` is the row of the taxonomy table for the rendering provider, None when not supplied or not listed.
    `diagnoses` are the codes pointed to. `setting` is facility, non-facility or None. `unread` are the elements of
    the line, or of the claim where the line has none of its own, that were sent and could not be read.
    """

    line: ServiceLine
    number: int
    first: date | None
    last: date | None
    place: str | None
    setting: str | None
    rendering: Provider | None
    provider: str
    profession: Taxonomy | None
    diagnoses: tuple[str, ...]
    payer: Payer
    values: dict[str, Any]
    unread: frozenset[str]

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return f"LineView({self.line.number})"

    @property
    def joinable(self) -> bool:
        """Whether it is known who furnished the line and on which days, so that it may be held against others."""
        return self.first is not None and self.last is not None and TOGETHER.isdisjoint(self.unread)

    @property
    def days(self) -> int:
        """Number of days the line runs; 1 when its dates are unknown."""
        return (self.last - self.first).days + 1 if self.first and self.last else 1


ByCode = Mapping[str, Sequence[LineView]]


def line_views(claim: Claim, payer: Payer, reference: Reference) -> tuple[LineView, ...]:
    """One view a line, in the sender's order."""
    payer_values = payer_fields(payer)
    codes = {diagnosis.position: diagnosis.code for diagnosis in claim.diagnoses if diagnosis.code}
    rendering = claim.rendering or _person(claim.billing)
    unread = {number: _unread(claim, number) for number in {item.line for item in claim.unreadable}}
    everywhere = unread.get(None, READ)
    return tuple(
        [
            _view(claim, line, payer, payer_values, codes, rendering, unread.get(line.number, everywhere), reference)
            for line in claim.lines
        ]
    )


def _unread(claim: Claim, number: int | None) -> frozenset[str]:
    return frozenset(item.element for item in claim.unreadable if item.line in (None, number))


def by_procedure(views: Sequence[LineView]) -> ByCode:
    """The lines that may be held against others, by procedure code."""
    by_code: dict[str, list[LineView]] = {}
    for view in views:
        code = view.line.procedure
        if code and view.joinable:
            by_code.setdefault(code, []).append(view)
    return by_code


def payer_fields(payer: Payer) -> dict[str, Any]:
    """The fields that every fact has of the payer."""
    values: dict[str, Any] = {"lineOfBusiness": payer.line_of_business}
    values["payer?" if payer.name is None else "payer"] = payer.name or UNKNOWN
    values["contractor?" if payer.contractor is None else "contractor"] = payer.contractor or UNKNOWN
    return values


def _view(
    claim: Claim,
    line: ServiceLine,
    payer: Payer,
    payer_values: dict[str, Any],
    codes: Mapping[int, str],
    claims_rendering: Provider | None,
    unread: frozenset[str],
    reference: Reference,
) -> LineView:
    day, place = line.first_day, line.place or (None if "line-place" in unread else claim.place)
    setting = _setting(place, day, reference) if place and day else None
    rendering = line.rendering or claims_rendering
    taxonomy = rendering.taxonomy if rendering else None
    if unread and rendering is not None and rendering.npi:
        unread -= WHO
    diagnoses = tuple([codes[position] for position in line.pointers if position in codes])
    return LineView(
        line,
        line.number,
        day,
        line.last_day,
        place,
        setting,
        rendering,
        (rendering.npi if rendering else None) or claim.billing.npi or "",
        reference.taxonomy(taxonomy, day) if taxonomy and day else None,
        diagnoses,
        payer,
        _values(line, payer_values, place, setting, diagnoses, unread),
        unread,
    )


@remembered(REMEMBERED)
def _setting(place: str, day: date, reference: Reference) -> str | None:
    found = reference.place_of_service(place, day)
    return found.setting if found else None


def _person(provider: Provider) -> Provider | None:
    return None if provider.organization or not provider.last_name else provider


def _values(
    line: ServiceLine,
    payer_values: dict[str, Any],
    place: str | None,
    setting: str | None,
    diagnoses: tuple[str, ...],
    unread: frozenset[str],
) -> dict[str, Any]:
    values = {**payer_values, "diagnoses": diagnoses}
    if "modifiers" not in unread:
        values["modifiers"] = line.modifiers
    if line.procedure is not None:
        values["procedure"] = line.procedure
    if line.first_day is not None:
        values["day"] = line.first_day.toordinal()
    if place is not None:
        values["place"] = place
    if setting is not None:
        values["setting"] = setting
    if line.units is not None:
        values["units"] = millionths(line.units)
    if line.unit_code is not None:
        values["unitCode"] = line.unit_code
    if line.charge is not None:
        values["charge"] = cents(line.charge)
    return values


def listed_modifiers(name: str, view: LineView, lists: CodeLists) -> frozenset[str]:
    """The modifiers of a line that a list has on its first day."""
    if not view.line.modifiers or view.first is None:
        return frozenset()
    return lists.among(name, view.line.modifiers, view.first.toordinal())


def millionths(number: Decimal) -> int:
    """A number with a fraction as whole millionths, toward zero past the sixth decimal."""
    return int(number * MILLION)


def cents(amount: Decimal) -> int:
    """Dollars as whole cents, toward zero past the second decimal."""
    return int(amount * HUNDRED)
