"""Reads the fixes of a rule that are data: what may be done with the claim, and which fact of the record allows it.

There is no action that changes a diagnosis or what was done, and none that makes a notice, a signature or a note. What
bypasses an edit or moves who bears a loss needs `when-record-shows`, as do units and diagnosis pointers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from scrubber.claim.elements import CATALOGUE
from scrubber.errors import Fault
from scrubber.likeness import perhaps
from scrubber.rulebook.field import Type
from scrubber.rulebook.names import NameScope, resolve
from scrubber.rulebook.relations import OfDocument, Outer
from scrubber.rulebook.remedy_schema import ADD, BY_KEY, DROP, LINE, MOVE, NEVER_DONE, POINT, SUPPLY, THIS, UNITS
from scrubber.rulebook.rule import FromRow, Remedy
from scrubber.rulebook.yaml_file import Document, Position

ReportFault = Callable[[Position, str], None]

# Lists of codes: what needs a word on the record, and what no fix supplies.
BYPASSING, LIABILITY = "modifiers-that-bypass-edits", "modifiers-that-move-liability"
NEVER_SUPPLIED = "elements-that-no-fix-supplies"
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")


def read_remedies(
    content: Mapping[str, Any], of_line: bool, frame: NameScope | None, report: ReportFault
) -> tuple[Remedy, ...]:
    """The fixes of a rule that are data, by the typed content of its file. `of_line`: its findings are about lines."""
    found = []
    for index, written in enumerate(content["remedies"]):
        key, action = next((key, word) for key, word in BY_KEY.items() if key in written)
        position = ("remedies", index, action)
        if not of_line and action != SUPPLY:
            report(position, f"a finding of this rule is about no line: only `{SUPPLY}` goes with it")
            continue
        shown, on = written.get("when_record_shows"), written.get("on", THIS)
        value = _value(action, written[key], shown, frame, partial(report, position))
        if action == LINE:
            on, value = written[key], None
        found.append(Remedy(action, on, value, written.get("to"), shown))
    return tuple(found)


def _value(
    action: str, written: Any, shown: str | None, frame: NameScope | None, report: Callable[[str], None]
) -> FromRow | str | None:
    """What an action puts or takes; reports what is wrong with it."""
    if action in (UNITS, POINT) and shown is None:
        report(f"`{action}` needs `when-record-shows`: the fact of the record that makes it right")
    if action == POINT:
        return _linked(written, frame, report)
    if isinstance(written, Mapping):
        return _named(action, written["fact"], frame, report)
    if action == UNITS and not _NUMBER.fullmatch(written):
        report("must be a number of units, or {fact: NAME}")
    elif action in (ADD, DROP, MOVE) and not _MODIFIER.fullmatch(written):
        report(f"`{written}` is no modifier: two digits or capitals")
    elif action == SUPPLY and written not in CATALOGUE:
        report(f"`{written}` is no element of a claim{perhaps(written, CATALOGUE)}; `scrubber elements` finds them")
    return written if isinstance(written, str) else None


def _linked(name: str, frame: NameScope | None, report: Callable[[str], None]) -> FromRow | None:
    """The element of the documentation by which the note links a diagnosis to the service."""
    found = resolve(name, frame) if frame is not None else None
    operand = found.operand if found is not None else None
    while isinstance(operand, Outer):
        operand = operand.operand
    if frame is None or found is None or not isinstance(operand, OfDocument):
        if frame is not None:
            report(
                f"`{name}` must be what the note links to the service: an element of the documentation, document.NAME"
            )
        return None
    return FromRow(name, found.operand)


def _named(action: str, name: str, frame: NameScope | None, report: Callable[[str], None]) -> FromRow | None:
    if frame is None:
        return None
    found = resolve(name, frame)
    wanted = (Type.NUMBER, Type.DECIMAL) if action == UNITS else (Type.TEXT,)
    if found is None or found.field.type not in wanted:
        report(f"`{name}` is no {'number' if action == UNITS else 'column with a modifier'} of this rule")
        return None
    return FromRow(name, found.operand)


class ListsOnAnyDay:
    """Which codes stand in a list on any day."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = [(row.list, row.code, row.through or row.code) for row in rows]
        self.names = {name for name, _, _ in self._rows}

    def has(self, name: str, code: str) -> bool:
        """Whether a code is in a list."""
        return any(name == each and first <= code <= last for each, first, last in self._rows)


def check_remedies(files: Iterable[tuple[Document, Any]], rows: Collection[Any]) -> Iterator[Fault]:
    """Fixes that need a word on the record and have none, and elements that no fix supplies; `rows` of code lists."""
    listed = ListsOnAnyDay(rows)
    for document, rule in files:
        for index, remedy in enumerate(rule.remedies):
            message = _fault_of(remedy, listed)
            if message:
                yield document.fault(("remedies", index, remedy.action), message)


def _fault_of(remedy: Remedy, listed: ListsOnAnyDay) -> str | None:
    if remedy.action == SUPPLY and listed.has(NEVER_SUPPLIED, str(remedy.value)):
        return f"no fix supplies `{remedy.value}`: {NEVER_DONE}"
    if remedy.when_record_shows is not None or remedy.action not in (ADD, DROP, MOVE):
        return None
    names = (LIABILITY,) if remedy.action == DROP else (BYPASSING, LIABILITY)
    known = isinstance(remedy.value, str) and listed.names.issuperset(names)
    if known and not any(listed.has(name, str(remedy.value)) for name in names):
        return None
    return (
        f"`{remedy.action}` of such a modifier needs `when-record-shows`: it bypasses an edit or moves who bears the "
        f"loss (lists {' and '.join(names)})"
    )
