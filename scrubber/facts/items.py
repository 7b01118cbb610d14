"""Makes the things that relations of rules speak of: diagnoses, earlier services, other payers, notices and the like.

They are made when a rule asks for them, from what the reader of claims has kept (`claim/model.py`, `claim/whole.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.model import Abn, Absence, Claim, Diagnosis, EarlierService, ServiceLine
from scrubber.claim.whole import ListEntry, entries, inside
from scrubber.facts.asked import typed_value
from scrubber.facts.service_lines import cents, millionths
from scrubber.facts.stated_values import number_in
from scrubber.rulebook.field import Field, Type, state_key
from scrubber.rulebook.item_kinds import ITEM_KINDS, LINE, OF_MODIFIERS, ItemKind, path_in_entry

ABSENT_STATE = Absence.ABSENT.value
SUMS = ("adjustments",)  # sums that are 0 where there is nothing to add


class Item(NamedTuple):
    """One such thing. `values` by field, typed as those of facts are; why one is not there under its `state_key`.

    `unreadable` are fields that were sent and cannot be read: whether they are anything in particular is unknown. Of an
    item with nothing but those no more is known than that it may be there. `lines` are the lines, 1-based, that it is
    on. `pointer` is where it stands in the body, by the names of the model.
    """

    kind: str
    values: Mapping[str, Any]
    lines: tuple[int, ...]
    pointer: str | None
    unreadable: frozenset[str]

    def __repr__(self) -> str:
        """No values: a claim must not reach a log through a repr."""
        return f"<Item {self.kind}>"


Items = tuple[Item, ...]


def items(kind: ItemKind, claim: Claim, line: ServiceLine | None = None) -> Items | None:
    """All items of a kind: of a line, or of the claim as a whole. None where the context supplies nothing of them.

    What only lines have, a claim as a whole has none of. The earlier services are the same for every line.
    """
    if kind.paths:
        return _listed(kind, claim, line)
    return _MAKERS[kind.name](kind, claim, line)


def _unknown(kind: ItemKind, lines: tuple[int, ...], pointer: str | None, known: Mapping[str, Any]) -> Item:
    """An item of which only some fields are known."""
    return Item(kind.name, known, lines, pointer, frozenset(kind.fields.keys() - known.keys()))


def _listed(kind: ItemKind, claim: Claim, line: ServiceLine | None) -> Items:
    """Entries of lists of the body: of the line, else of the claim."""
    of_lines = [path for path in kind.paths if path[: len(LINE)] == LINE]
    found = _in_lists(kind, claim, line, of_lines)
    return found or _in_lists(kind, claim, line, [path for path in kind.paths if path not in of_lines])


def _in_lists(kind: ItemKind, claim: Claim, line: ServiceLine | None, paths: Sequence[tuple[str, ...]]) -> Items:
    lines = (line.number,) if line is not None else ()
    return tuple([_entry(kind, each, path, lines) for path in paths for each in entries(claim, path, line)])


def _entry(kind: ItemKind, entry: ListEntry, path: tuple[str, ...], lines: tuple[int, ...]) -> Item:
    if not entry.readable:
        return _unknown(kind, lines, entry.pointer, {})
    values: dict[str, Any] = {}
    unreadable = set()
    for name, elements in kind.elements.items():
        field = kind.fields[name]
        for element in elements:
            place = path_in_entry(element, path)
            if place is None:
                continue
            found = inside(entry.nodes[-1 - place.above], place.inside)
            if found.unreadable:
                unreadable.add(name)
            elif found.values:
                values[name] = typed_value(field.type, found.values)
        if name not in values and name not in unreadable:
            values |= {name: 0} if name in SUMS else {state_key(name): ABSENT_STATE}
    return Item(kind.name, values, lines, entry.pointer, frozenset(unreadable))


def _diagnoses(kind: ItemKind, claim: Claim, line: ServiceLine | None) -> Items:
    pointers = line.pointers if line is not None else ()
    odd = {each.pointer for each in claim.unreadable}
    return tuple([_diagnosis(kind, diagnosis, pointers, odd) for diagnosis in claim.diagnoses])


def _pointed(kind: ItemKind, claim: Claim, line: ServiceLine | None) -> Items:
    """The diagnoses that a line points to, in the order of its pointers, each once."""
    if line is None:
        return ()
    by_position = {diagnosis.position: diagnosis for diagnosis in claim.diagnoses}
    odd = {each.pointer for each in claim.unreadable}
    found = [
        _diagnosis(kind, by_position[position], line.pointers, odd)
        for position in dict.fromkeys(line.pointers)
        if position in by_position
    ]
    if any(each.element == "diagnosis-pointers" and each.line == line.number for each in claim.unreadable):
        found.append(_unknown(kind, (line.number,), None, {}))
    return tuple(found)


def _diagnosis(kind: ItemKind, diagnosis: Diagnosis, pointers: tuple[int, ...], odd: set[str]) -> Item:
    values: dict[str, Any] = {"position": diagnosis.position}
    unreadable = set()
    for name, in_json, value in (
        ("code", "diagnosisCode", diagnosis.code),
        ("qualifier", "diagnosisTypeCode", diagnosis.qualifier),
    ):
        if value is not None:
            values[name] = value
        elif f"{diagnosis.pointer}/{in_json}" in odd:
            unreadable.add(name)
        else:
            values[state_key(name)] = ABSENT_STATE
    if diagnosis.position in pointers:
        values["pointer"] = pointers.index(diagnosis.position) + 1
    else:
        values[state_key("pointer")] = ABSENT_STATE
    return Item(kind.name, values, (), diagnosis.pointer, frozenset(unreadable))


# Fields of an earlier service: the names that `EarlierService.unreadable` has for them.
_IN_HISTORY = {
    "modifiers": "modifiers", "units": "units", "charge": "charge", "allowed": "allowed",
    "rendering-provider": "renderingNpi", "billing-provider": "billingNpi", "specialty": "taxonomyCode",
    "diagnoses": "diagnoses", "care-from": "careFrom", "care-to": "careTo",
}  # fmt: skip


def _history(kind: ItemKind, claim: Claim, _line: ServiceLine | None) -> Items | None:
    if claim.context.history is None:
        return None
    services = [_service(kind, service) for service in claim.context.history]
    for row in claim.context.unusable_history:
        known = {"procedure": row.code, "day": row.day.toordinal() if row.day else None}
        services.append(_unknown(kind, (), row.pointer, {name: each for name, each in known.items() if each}))
    return tuple(services)


def _service(kind: ItemKind, service: EarlierService) -> Item:
    values: dict[str, Any] = {"procedure": service.code, "day": service.day.toordinal()}
    unreadable = service.unreadable and frozenset(
        name for name, in_json in _IN_HISTORY.items() if in_json in service.unreadable
    )
    if "modifiers" in unreadable:
        unreadable = unreadable.union(OF_MODIFIERS)
    stated: tuple[tuple[str, Any], ...] = (
        ("modifiers", service.modifiers),
        ("units", service.units),
        ("charge", service.charge),
        ("allowed", service.allowed),
        ("rendering-provider", service.rendering_npi),
        ("billing-provider", service.billing_npi),
        ("specialty", service.taxonomy),
        ("diagnoses", service.diagnoses),
        ("care-from", service.care_from),
        ("care-to", service.care_to),
    )
    for name, value in stated:
        if name not in unreadable:
            _add_stated(values, kind.fields[name], value)
    return Item(kind.name, values, (), service.pointer, unreadable)


def _add_stated(values: dict[str, Any], field: Field, value: Any) -> None:
    """A value of the context as facts hold it, or why there is none."""
    if isinstance(value, Absence):
        values[state_key(field.name)] = value.value
    elif isinstance(value, date):
        values[field.name] = value.toordinal()
    elif isinstance(value, Decimal):
        values[field.name] = cents(value) if field.type is Type.AMOUNT else millionths(value)
    else:
        values[field.name] = value


def _adjusting_payers(kind: ItemKind, claim: Claim, line: ServiceLine | None) -> Items:
    """The decisions on a line by payer, in the order of their first ones."""
    by_payer: dict[str | None, list[Item]] = {}
    for decision in _listed(ITEM_KINDS["adjudication"], claim, line):
        if "payer" in decision.unreadable:  # it may be of any payer, so that no sum is known
            return (_unknown(kind, decision.lines, decision.pointer, {}),)
        by_payer.setdefault(decision.values.get("payer"), []).append(decision)
    return tuple([_adjusting_payer(kind, payer, decisions) for payer, decisions in by_payer.items()])


def _adjusting_payer(kind: ItemKind, payer: str | None, decisions: list[Item]) -> Item:
    values: dict[str, Any] = {"decisions": len(decisions)}
    values |= {"payer": payer} if payer is not None else {state_key("payer"): ABSENT_STATE}
    unreadable = set()
    for name in ("paid", "adjustments", "patient-liability"):
        if any(name in decision.unreadable for decision in decisions):
            unreadable.add(name)
        elif all(name in decision.values for decision in decisions):
            values[name] = sum(decision.values[name] for decision in decisions)
        else:
            values[state_key(name)] = ABSENT_STATE
    return Item(kind.name, values, decisions[0].lines, decisions[0].pointer, frozenset(unreadable))


def _notices(kind: ItemKind, claim: Claim, line: ServiceLine | None) -> Items | None:
    """The notices that are about a line, and those whose lines cannot be read."""
    if claim.context.abn is None:
        return None
    odd = {each.pointer for each in claim.unreadable}
    found = []
    for notice in claim.context.abn:
        if line is not None and not notice.lines:
            found.append(_unknown(kind, (), notice.pointer, {}))
        elif line is None or line.number in notice.lines:
            found.append(_notice(kind, notice, odd))
    return tuple(found)


def _notice(kind: ItemKind, notice: Abn, odd: set[str]) -> Item:
    values: dict[str, Any] = {}
    unreadable = {name for name in kind.fields if f"{notice.pointer}/{name}" in odd}
    stated: dict[str, Any] = {
        "form": notice.form,
        "issued": notice.issued,
        "signed": notice.signed,
        "option": notice.option,
        "reason": notice.reason,
        "refused": notice.refused,
        "witnesses": notice.witnesses,
        "estimate": notice.estimate,
    }
    if isinstance(notice.estimate, str):
        stated["estimate"] = number_in(notice.estimate)
        if isinstance(stated["estimate"], str):  # no number, or several: nobody can tell the amount
            unreadable.add("estimate")
    for name, value in stated.items():
        if name not in unreadable:
            _add_stated(values, kind.fields[name], value)
    return Item(kind.name, values, notice.lines, notice.pointer, frozenset(unreadable))


_MAKERS: Mapping[str, Callable[[ItemKind, Claim, ServiceLine | None], Items | None]] = {
    "diagnosis": _diagnoses,
    "pointed-diagnosis": _pointed,
    "history": _history,
    "adjusting-payer": _adjusting_payers,
    "notice": _notices,
}
