"""Makes the fields of lines and of the claim that only some rules ask for: side, component, providers, ages, diagnoses.

Each is a value, or the state `absent` or `unreadable`, as elements of the catalogue are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from scrubber.claim.model import Absence, Claim, Provider
from scrubber.facts.service_lines import LineView
from scrubber.remembered import remembered
from scrubber.rulebook.element_fields import UNREADABLE
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rulebook import CodeLists

RIGHT, LEFT, WHOLE_SIDES, VESSELS = "sites-right", "sites-left", "sites-whole-side", "sites-vessels"
COMPONENTS, WHOLE = "component-modifiers", "whole"
REMEMBERED = 4_096  # modifiers and days whose side and site a process remembers
_MONTHS = 12


class _AskedLine(NamedTuple):
    """A line with what its fields are made from; `received` is the day of receipt."""

    claim: Claim
    view: LineView
    received: date
    lists: CodeLists


Value = Any  # as facts hold it; None: there is none
LineMaker = Callable[[_AskedLine], Value]


class NamedPlaces(NamedTuple):
    """What modifiers say of the place on the body; None: nothing."""

    side: str | None
    site: str | None


def add_line_fields(
    values: dict[str, Any], asked: Mapping[str, str], claim: Claim, view: LineView, received: date, lists: CodeLists
) -> None:
    """Adds the asked fields of a line; `asked` has the elements that they are made from, by name."""
    line = _AskedLine(claim, view, received, lists)
    for name, element in asked.items():
        unread = _UNREAD.get(name, (element,))
        _add(values, name, None if not view.unread.isdisjoint(unread) else _OF_LINE[name](line), unread, view.unread)


def add_claim_fields(values: dict[str, Any], asked: Mapping[str, str], claim: Claim, day: date, received: date) -> None:
    """Adds the asked fields of the claim as a whole; `day` is its first date of service."""
    unread = frozenset(each.element for each in claim.unreadable if each.line is None) if asked else frozenset()
    for name, element in asked.items():
        found = None if element in unread else _of_claim(name, claim, day, received)
        _add(values, name, found, (element,), unread)


def _add(values: dict[str, Any], name: str, found: Value, made_from: tuple[str, ...], unread: frozenset[str]) -> None:
    if found is not None:
        values[name] = found
    else:
        values[state_key(name)] = Absence.ABSENT.value if unread.isdisjoint(made_from) else UNREADABLE


def _of_claim(name: str, claim: Claim, day: date, received: date) -> Value:
    if name == "receivedOn":
        return received.toordinal()
    if name == "firstDiagnosis":
        return claim.diagnoses[0].code if claim.diagnoses else None
    return age(name, claim.patient.birth_date, day)


@remembered(REMEMBERED)
def places(modifiers: tuple[str, ...], day: date, lists: CodeLists) -> NamedPlaces:
    """The side and the site that modifiers name on a day: a place on a side goes before the whole side."""
    ordinal = day.toordinal()
    sides = {
        side
        for side, name in (("right", RIGHT), ("left", LEFT))
        if any(lists.contains(name, modifier, ordinal) for modifier in modifiers)
    }
    named = [each for each in modifiers if any(lists.contains(name, each, ordinal) for name in (RIGHT, LEFT, VESSELS))]
    exact = [each for each in named if not lists.contains(WHOLE_SIDES, each, ordinal)]
    side = "both" if len(sides) == 2 else next(iter(sides), None)
    return NamedPlaces(side, next(iter((*exact, *named)), None))


def age(unit: str, born: date | None, day: date | None) -> int | None:
    """Full years, full months or days from a birth to a day. Who is born on a day that a month lacks waits for the next
    month to begin. None where one of the two is unknown, and for a day before the birth."""
    if born is None or day is None or day < born:
        return None
    if unit == "ageDays":
        return (day - born).days
    months = (day.year - born.year) * _MONTHS + day.month - born.month - (day.day < born.day)
    return months if unit == "ageMonths" else months // _MONTHS


def component(modifiers: tuple[str, ...], day: date, lists: CodeLists) -> str:
    """Which part of a service its modifiers say on a day: the modifier that names it, or whole."""
    ordinal = day.toordinal()
    return next((each for each in modifiers if lists.contains(COMPONENTS, each, ordinal)), WHOLE)


def _age(unit: str) -> LineMaker:
    return lambda line: age(unit, line.claim.patient.birth_date, line.view.first)


def _places(line: _AskedLine) -> NamedPlaces:
    view = line.view
    return places(view.line.modifiers, view.first, line.lists) if view.first is not None else NamedPlaces(None, None)


def _component(line: _AskedLine) -> Value:
    view = line.view
    return component(view.line.modifiers, view.first, line.lists) if view.first is not None else None


def _first_diagnosis(line: _AskedLine) -> Value:
    pointers = line.view.line.pointers
    found = [each.code for each in line.claim.diagnoses if pointers and each.position == pointers[0]]
    return found[0] if found else None


def _state(line: _AskedLine) -> Value:
    places_of_service: tuple[Provider | None, ...] = (line.view.line.facility, line.claim.facility, line.claim.billing)
    addresses = [each.address for each in places_of_service if each is not None and each.address is not None]
    return next((address.state for address in addresses if address.state), None)


def _referring_specialty(line: _AskedLine) -> Value:
    referring = line.view.line.referring or line.claim.referring
    return referring.taxonomy if referring is not None else None


def _days_since_service(line: _AskedLine) -> Value:
    return (line.received - line.view.first).days if line.view.first is not None else None


_OF_LINE: Mapping[str, LineMaker] = {
    "side": lambda line: _places(line).side,
    "site": lambda line: _places(line).site,
    "component": _component,
    "firstModifier": lambda line: next(iter(line.view.line.modifiers), None),
    "renderingProvider": lambda line: line.view.provider or None,
    "billingProvider": lambda line: line.claim.billing.npi,
    "specialty": lambda line: (line.view.rendering or line.claim.billing).taxonomy,
    "referringSpecialty": _referring_specialty,
    "ageYears": _age("ageYears"),
    "ageMonths": _age("ageMonths"),
    "ageDays": _age("ageDays"),
    "receivedOn": lambda line: line.received.toordinal(),
    "daysSinceService": _days_since_service,
    "lastDay": lambda line: line.view.last.toordinal() if line.view.last is not None else None,
    "firstDiagnosis": _first_diagnosis,
    "claimDiagnoses": lambda line: tuple([each.code for each in line.claim.diagnoses if each.code]) or None,
    "state": _state,
}
# Fields that are made from more than one element: with any of them unread, nobody knows them.
_UNREAD: Mapping[str, tuple[str, ...]] = {
    "renderingProvider": ("rendering-npi", "billing-npi"),
    "specialty": ("rendering-taxonomy", "billing-taxonomy"),
    "firstDiagnosis": ("diagnosis-pointers", "diagnosis-code"),
    "state": ("facility-state", "billing-state"),
}
