"""Says which fixes of a rule, as data, go with a finding on the claim as it is: what is done already is not offered."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from scrubber.claim.elements import CATALOGUE
from scrubber.claim.model import Claim, ServiceLine
from scrubber.claim.whole import ask
from scrubber.facts.fact import Fact
from scrubber.findings.row_values import value_taken
from scrubber.rulebook.rule import FromRow, Remedy, Rule

MOST_POINTERS = 4  # of a line: SV107


class OfferedRemedy(NamedTuple):
    """A fix that is data. `number` is its place in the rule, from 1; `action` one of remedies.ACTIONS.

    `line` and `to_line` are 1-based, None where it is about the claim. Of `modifier`, `units`, `diagnosis` (position on
    the claim, and code) and `element` the one is there that the action needs. It is not to be applied before whoever
    bills has stated that the record shows `when_record_shows`.
    """

    number: int
    action: str
    line: int | None
    to_line: int | None = None
    modifier: str | None = None
    units: str | None = None
    diagnosis_pointer: int | None = None
    diagnosis: str | None = None
    element: str | None = None
    when_record_shows: str | None = None

    def __repr__(self) -> str:
        """The action alone: a claim must not reach a log through a repr."""
        return f"<OfferedRemedy {self.action}>"


def offered_remedies(rule: Rule, fact: Fact, claim: Claim, related: tuple[int, ...]) -> tuple[OfferedRemedy, ...]:
    """The fixes of a rule that go with its finding on a fact; `related` are the other lines of the finding.

    One that is about a line is offered where the finding names exactly that one.
    """
    found = []
    for number, remedy in enumerate(rule.remedies, start=1):
        lines = {"this": fact.lines, "related": related}
        on, to = lines[remedy.on], lines[remedy.to] if remedy.to else ()
        if not fact.lines and remedy.action == "supply":
            offered = _supplied(remedy, claim, None)
        elif len(on) == 1 and (remedy.to is None or len(to) == 1):
            value = _value(remedy, rule, fact)
            offered = _on_line(remedy, value, claim, claim.lines[on[0] - 1], claim.lines[to[0] - 1] if to else None)
        else:
            offered = None
        if offered is not None:
            found.append(offered._replace(number=number, when_record_shows=remedy.when_record_shows))
    return tuple(found)


def _value(remedy: Remedy, rule: Rule, fact: Fact) -> str | None:
    return value_taken(remedy.value, rule, fact).text if isinstance(remedy.value, FromRow) else remedy.value


def _on_line(
    remedy: Remedy, value: str | None, claim: Claim, line: ServiceLine, to: ServiceLine | None
) -> OfferedRemedy | None:
    action = remedy.action
    if action == "drop-line":
        return OfferedRemedy(0, action, line.number) if len(claim.lines) > 1 else None
    if action == "supply":
        return _supplied(remedy, claim, line)
    if value is None:
        return None
    if action == "change-units":
        return _units(value, line)
    if action == "point-to":
        return _pointed(value, claim, line)
    stands = value in line.modifiers
    if action == "add-modifier":
        return None if stands else OfferedRemedy(0, action, line.number, modifier=value)
    if not stands:
        return None
    if action == "drop-modifier":
        return OfferedRemedy(0, action, line.number, modifier=value)
    moves = to is not None and value not in to.modifiers
    return OfferedRemedy(0, action, line.number, to.number if to else None, modifier=value) if moves else None


def _supplied(remedy: Remedy, claim: Claim, line: ServiceLine | None) -> OfferedRemedy | None:
    name = str(remedy.value)
    found = ask(claim, CATALOGUE[name], line)
    if found.values or found.unreadable:
        return None
    return OfferedRemedy(0, remedy.action, line.number if line is not None else None, element=name)


def _units(value: str, line: ServiceLine) -> OfferedRemedy | None:
    try:
        units = Decimal(value)
    except InvalidOperation:
        return None
    if not units.is_finite() or units <= 0 or units == line.units:
        return None
    return OfferedRemedy(0, "change-units", line.number, units=value)


def _pointed(value: str, claim: Claim, line: ServiceLine) -> OfferedRemedy | None:
    """To the one diagnosis of the claim that the note links to the service and the line does not point to."""
    linked = {code.replace(".", "").upper() for code in value.split()}
    found = [each for each in claim.diagnoses if each.code in linked and each.position not in line.pointers]
    if len(found) != 1 or len(line.pointers) >= MOST_POINTERS:
        return None
    return OfferedRemedy(0, "point-to", line.number, diagnosis_pointer=found[0].position, diagnosis=found[0].code)
