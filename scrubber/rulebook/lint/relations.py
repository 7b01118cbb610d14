"""Lints what rules ask beside the fact in hand: relations, sums and look-ups that come to nothing, or to anything.

Faults are what can be proved: a relation that no item can fulfil, a window that holds no day, a key that no row has.
Warnings are what a reviewer should look at: relations to any line at all, windows into days that history does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.definitions import DEFINITION
from scrubber.rulebook.field import Type
from scrubber.rulebook.question_fields import ORDERS, is_count
from scrubber.rulebook.reachability import certain_conditions, impossible_together
from scrubber.rulebook.relations import (
    HISTORY,
    ROW,
    Compared,
    Constant,
    Group,
    LookUp,
    OfClaim,
    Operand,
    Outer,
    Own,
    Related,
    ValueTested,
    Window,
    walk,
)
from scrubber.rulebook.rule import AllOf, Asks, Compare, Condition, Has, InList, Rule, conditions_of
from scrubber.rulebook.same import SAME
from scrubber.rulebook.same_and_within import fields_of_group
from scrubber.rulebook.satisfiable import ListsByDay, Requirement
from scrubber.rulebook.source_map import source_map
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import Document, Position

DAY, PROCEDURE = "day", "procedure"
MOST_CODES = 200  # that a key may be, one of which a row should have
# What has nothing but the claim or the patient in common with the fact in hand; other items belong to it.
_UNRELATED = frozenset(("line", "other-line", HISTORY))
_LIFE = {"days": 120 * 366, "full-months": 120 * 12, "full-years": 120}  # longer than history is of anybody
_WITHOUT_DAY = frozenset(("before", "after", "up-to", "from"))  # sides whose windows of no days hold no day
_NAME = re.compile(r"[a-z][a-z0-9.-]*")
_AFTER = frozenset(("after", "from"))


class _Lint(NamedTuple):
    """One rule, and what its relations are held against."""

    document: Document
    rule: Rule
    tables: Mapping[str, TypedTable]
    lists: ListsByDay

    def fault(self, position: Position, message: str) -> Fault:
        """A fault at a position; of what a definition says, where the rule uses a definition."""
        if position not in self.document.lines:
            used = [each for each in self.document.lines if each and each[-1] == DEFINITION]
            position = used[0] if used else position
        return self.document.fault(position, message)


def relation_faults(files: Iterable[RuleFile], tables: Mapping[str, TypedTable], lists: ListsByDay) -> Iterator[Fault]:
    """Relations, sums, comparisons and look-ups that come out one way whatever the claim."""
    for document, rule in files:
        lint = _Lint(document, rule, tables, lists)
        for part in walk(conditions_of(rule)):
            if isinstance(part, Group):
                yield from _impossible_items(lint, part)
                yield from _impossible_windows(lint, part)
        yield from _keys_without_row(lint)


def relation_warnings(
    files: Iterable[RuleFile], tables: Mapping[str, TypedTable], lists: ListsByDay
) -> Iterator[Fault]:
    """What a reviewer should look at: conditions that are always true, relations to anything, windows too long."""
    for document, rule in files:
        lint = _Lint(document, rule, tables, lists)
        yield from _always_true(lint)
        yield from _unused_names(document)
        for part in walk(conditions_of(rule)):
            if isinstance(part, Group):
                yield from _without_anchor(lint, part)
                yield from _beyond_history(lint, part)
            elif isinstance(part, Related) and part.quantifier != "some":
                yield from _after_the_service(lint, part.group)


# Faults


def _impossible_items(lint: _Lint, group: Group) -> Iterator[Fault]:
    """Items that cannot be as a relation wants them, also because they are to be the same as a fact that is not so."""
    fields = fields_of_group(group, lint.tables)
    kind = replace(KINDS["line"], name=group.items[0], fields=fields)
    own: list[Requirement] = [(part, True) for condition in group.where for part in _certain(condition)]
    alike = [part for part in _of_the_rule(lint.rule) if _is_the_same(part, group)]
    against = impossible_together([*own, *((part, True) for part in alike)], kind, lint.lists)
    words = [f"`{in_one_line(part, fields)}`" for part, _ in own]
    words += [f"`{in_one_line(part, lint.rule.kind.fields)}` of the rule itself" for part in alike]
    if against:
        named = " and ".join(words[index] for index in against)
        never = "never holds" if len(against) == 1 else "never hold together"
        yield lint.fault(group.position, f"no {_named(group)} is ever so: {named} {never}; correct one of them")


def _certain(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from _certain(part)
    else:
        yield condition


def _of_the_rule(rule: Rule) -> list[Condition]:
    """What holds of the rule's own fact wherever it fires."""
    return [*_certain(rule.applies), *_certain(rule.when)]


def _is_the_same(part: Condition, group: Group) -> bool:
    """Whether a condition of the rule's fact holds of the items of a group too, since the two are the same there."""
    if not isinstance(part, Compare | Has | InList) or ROW in group.items:
        return False
    if isinstance(part, InList) and DAY not in group.same:
        return False  # the list may have other codes on another day
    names = {name for same in group.same if not SAME[same].share for each in SAME[same].fields for name in each}
    return part.fact in names


def _named(group: Group) -> str:
    if group.table is not None:
        return f"row of `{group.table}`"
    return " or ".join(item.replace("-", " ") for item in group.items)


def _impossible_windows(lint: _Lint, group: Group) -> Iterator[Fault]:
    """Windows that hold no day, alone or together, and windows around the days of what has none."""
    if group.within and DAY not in fields_of_group(group, lint.tables):
        message = f"`within` asks for the day of a {_named(group)}, which has none: take it out"
        yield lint.fault((*group.position, "within"), message)
    for window in group.within:
        if window.side in _WITHOUT_DAY and _length(window) == 0:
            message = f"no day lies in 0 {window.unit} {window.side} another: say how many, or `same: [day]`"
            yield lint.fault((*group.position, "within"), message)
    sides = {(window.side, window.day) for window in group.within}
    if DAY in group.same:
        sides.add(("the same day as", Outer(1, Own(DAY, Type.DAY))))
    for side, day in sorted(sides, key=repr):
        for other, around in sorted(sides, key=repr):
            if day == around and _apart(side, other):
                message = f"no day is {side} and {other} one and the same day: the relation never finds anything"
                yield lint.fault((*group.position, "within"), message)


def _apart(side: str, other: str) -> bool:
    """Whether no day lies on both sides of one day; each two sides once."""
    if side == "before":
        return other in ("after", "from", "the same day as")
    return side == "after" and other in ("up-to", "the same day as")


def _length(window: Window) -> int | None:
    value = window.length.value if isinstance(window.length, Constant) else None
    return value if isinstance(value, int) else None


def _keys_without_row(lint: _Lint) -> Iterator[Fault]:
    """Look-ups by a value that no row of the table has."""
    told: set[tuple[str, str]] = set()
    for part in walk((conditions_of(lint.rule), lint.rule.names)):
        name = part.table if isinstance(part, LookUp | Group) else None
        table = lint.tables.get(name or "")
        if table is None or not table.stored or not isinstance(part, LookUp | Group):
            continue
        for column, operand in part.keys:
            values = _values(lint.rule, operand, 0 if isinstance(part, LookUp) else 1)
            if values is None or (table.name, column) in told or _has_row(table, column, values):
                continue
            told.add((table.name, column))
            shown = ", ".join(map(str, values[:5]))
            message = f"no row of `{table.name}` has {shown} as its `{column}`: add the row, or correct the look-up"
            yield lint.fault(_place_of_key(lint.document, table.name, column), message)


def _values(rule: Rule, operand: Operand, level: int) -> tuple[Any, ...] | None:
    """All values that a key may have, as facts have them; None where they are not that few."""
    if isinstance(operand, Constant):
        return (operand.value,)
    if isinstance(operand, Outer) and operand.levels == level:
        operand = operand.operand
    elif level:
        return None
    if not isinstance(operand, Own) or operand.type is Type.CODES:
        return None
    for part in _of_the_rule(rule):
        if isinstance(part, Compare) and part.fact == operand.name and part.op == "is":
            return (part.value,)
        if isinstance(part, Has) and part.fact == operand.name and part.op != "none":
            return part.values if len(part.values) <= MOST_CODES else None
    return None


def _has_row(table: TypedTable, column: str, values: Sequence[Any]) -> bool:
    return any(table.fitting({column: value}, None) for value in values)


def _place_of_key(document: Document, table: str, column: str) -> Position:
    """Where a rule says by what it looks rows of a table up."""
    for position in document.lines:
        if position and position[-1] == "in" and document.at(position) == table:
            key: Position = (*position[:-1], "for", column)
            return key if key in document.lines else position
    return ("look-up",)


# Warnings


def _always_true(lint: _Lint) -> Iterator[Fault]:
    for found in certain_conditions(source_map(lint.rule, lint.document), lint.lists):
        node = found.node
        if found.holds and node.section == "when" and not node.path:
            continue  # a rule whose `applies` says it all repeats a part of it: `when` has to say something
        what = "is always true" if found.holds else "is never true"
        message = f"`{node.words}` {what} where the conditions before it hold: take it out, or correct it"
        yield Fault(lint.document.file, node.line, message)
    for part in walk(conditions_of(lint.rule)):
        if isinstance(part, Asks) and (sure := _without_question(part)):
            source = in_one_line(part, {})
            yield lint.fault(_place_of_test(lint.document, part), f"`{source}` {sure}: take it out, or correct it")


def _without_question(asked: Asks) -> str | None:
    """Whether a comparison comes out one way whatever its values are, as soon as they are known."""
    question = asked.question
    if isinstance(question, Compared) and question.left == question.right and question.op in ORDERS:
        return f"compares a value with itself, and is {'always' if 'equal' in ORDERS[question.op] else 'never'} true"
    if isinstance(question, ValueTested) and isinstance(question.test, Compare) and is_count(question.operand):
        return _of_a_count(question.test)
    return None


def _of_a_count(test: Compare) -> str | None:
    if type(test.value) is not int:
        return None
    if (test.op, test.value) == ("at-least", 0) or (test.op == "over" and test.value < 0):
        return "is always true: a count is never below zero"
    if (test.op == "under" and test.value <= 0) or (test.op in ("is", "at-most") and test.value < 0):
        return "is never true: a count is never below zero"
    return None


def _place_of_test(document: Document, asked: Asks) -> Position:
    words = in_one_line(asked, {})
    for position in document.lines:
        if len(position) > 1 and isinstance(position[-1], str) and words.startswith(_subject(document, position)):
            return position
    return ("when",)


def _subject(document: Document, position: Position) -> str:
    """The name that an operator at a position is about, and the operator."""
    above = document.at(position[:-1])
    name = above["fact"] if isinstance(above, Mapping) and "fact" in above else position[-2]
    return f"{name} {position[-1]} "


def _unused_names(document: Document) -> Iterator[Fault]:
    """Look-ups and amounts that a rule or a relation names and nothing in the rule reads."""
    declared = [each for each in document.lines if len(each) > 1 and each[-2] in ("look-up", "amounts")]
    if not declared:
        return
    read = {name for position in document.lines for name in _names_read(document, position)}
    for position in declared:
        if position[-1] not in read:
            yield document.fault(position, f"`{position[-1]}` is used by nothing in this rule: use it, or take it out")


def _names_read(document: Document, position: Position) -> Iterator[str]:
    """The names that stand at a position: as a key, as a value, or between the braces of a text."""
    value = document.at(position)
    if position and isinstance(position[-1], str) and position[-2:-1] not in (("look-up",), ("amounts",)):
        yield from position[-1].split(".")
    if isinstance(value, str):
        words = _NAME.findall(value)
        yield from (part for word in words for part in word.split("."))


def _without_anchor(lint: _Lint, group: Group) -> Iterator[Fault]:
    """Relations of a line to any other line at all, or to any earlier service of the patient."""
    related = group.same or group.same_modifiers or group.within or any(map(_reads_outer, group.where))
    if related or not _UNRELATED & set(group.items) or not lint.rule.kind.of_lines:
        return
    if group.items == (HISTORY,) and any(_names_codes(part) for part in group.where):
        return  # these services, whenever in the patient's life
    message = (
        f"holds for any {_named(group)}, whatever it has in common with the fact in hand: say what is the `same`, a "
        "window `within` which it lies, or compare it with `this.…`"
    )
    yield lint.fault(group.position, message)


def _names_codes(condition: Condition) -> bool:
    return any(isinstance(part, Compare | Has | InList) and part.fact == PROCEDURE for part in _certain(condition))


def _reads_outer(condition: object) -> bool:
    return any(isinstance(part, Outer | OfClaim) for part in walk(condition))


def _beyond_history(lint: _Lint, group: Group) -> Iterator[Fault]:
    for window in group.within:
        length = _length(window)
        if length is not None and length > _LIFE.get(window.unit, length):
            message = (
                f"{length} {window.unit} are longer than a life, and no history says that it is complete for them: "
                "without `within` a relation is about all of the patient's life"
            )
            yield lint.fault((*group.position, "within"), message)


def _after_the_service(lint: _Lint, group: Group) -> Iterator[Fault]:
    """What comes after the service is in no history yet, when a claim is sent: its absence says nothing."""
    if HISTORY in group.items and any(window.side in _AFTER for window in group.within):
        message = (
            "history ends on the day on which a claim is sent: that there is nothing after the service does not mean "
            "that there will be nothing; ask for what comes `before` it, or for `some-history`"
        )
        yield lint.fault((*group.position, "within"), message)
