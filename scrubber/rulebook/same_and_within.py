"""Types what makes an item related to a fact: what is the same of both, and the window of days that it lies in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.line_items import ITEMS, LINE_ITEMS
from scrubber.rulebook.names import TypingContext, meant, operand_named, resolve, unknown_name
from scrubber.rulebook.reference_tables import REFERENCE_TABLES
from scrubber.rulebook.relations import BETWEEN, ROW, Constant, Group, Operand, Window
from scrubber.rulebook.same import SAME, SAME_MODIFIERS
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import Position, iso_day

UNITS = ("days", "full-months", "full-years")
SIDES = ("before", "after", "up-to", "from", "either")
PERIODS = {  # how each is written, for authors
    "calendar-year": "{calendar-year: this.day}",
    "calendar-quarter": "{calendar-quarter: this.day}",
    "calendar-month": "{calendar-month: this.day}",
    "week": "{week: this.day, begins: sunday}",
    "season": "{season: this.day, begins: 08-01, ends: 03-31}",
}
WEEKDAYS = {
    "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7,
}  # fmt: skip
_WRONG = (
    "needs a number of days, full-months or full-years and a side: {days: 90, before: this.day}; two days: {from: DAY, "
    f"up-to: DAY}}; or the period of a day: {', '.join(PERIODS.values())}"
)
_DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)


def fields_of(item: str) -> Mapping[str, Field]:
    """The fields that an item of a kind has."""
    return KINDS["line"].fields if item in LINE_ITEMS else ITEMS[item].fields


def fields_of_group(group: Group, tables: Mapping[str, TypedTable]) -> Mapping[str, Field]:
    """The fields of the items of a group; `tables` are those of packs."""
    if group.table is None:
        return fields_of(group.items[0])
    table = tables.get(group.table) or REFERENCE_TABLES.get(group.table)
    return {name: column.field for name, column in table.columns.items()} if table else {}


def same_of(
    raw: object, items: tuple[str, ...], position: Position, context: TypingContext
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`same`: names of SAME, and the lists of modifiers that both have alike."""
    if raw is None:
        return (), ()
    if not isinstance(raw, list) or not raw:
        context.report(position, "needs a list of what is the same, such as [day, procedure]")
        return (), ()
    *_, (_, root) = context.frame.chain()
    # Each kind of item by itself: two kinds may have the same thing under different names.
    compared = [root.fields, *(context.frame.fields if item == ROW else fields_of(item) for item in items)]
    names: list[str] = []
    lists: list[str] = []
    for index, entry in enumerate(raw):
        by_list = isinstance(entry, Mapping) and set(entry) == {SAME_MODIFIERS}
        name = "modifiers" if by_list else entry
        if not isinstance(name, str) or name not in SAME:
            context.report((*position, index), f"`{entry}` is nothing that can be the same; {meant(str(entry), SAME)}")
        elif not all(map(SAME[name].known_of, compared)):
            context.report((*position, index), f"`{name}` is not known of both: {' and '.join(items)}, and {root.kind}")
        elif by_list:
            lists.append(str(entry[SAME_MODIFIERS]))
        else:
            names.append(name)
    return tuple(names), tuple(lists)


def windows(raw: object, position: Position, context: TypingContext) -> tuple[Window, ...]:
    """`within`: one window, or a list of which all hold."""
    if raw is None:
        return ()
    entries = raw if isinstance(raw, list) else [raw]
    found = [_window(entry, position, context) for entry in entries]
    return tuple(window for window in found if window is not None)


def _window(raw: object, position: Position, context: TypingContext) -> Window | None:
    if not isinstance(raw, Mapping):
        context.report(position, _WRONG)
        return None
    period = next((key for key in raw if key in PERIODS), None)
    if period is not None:
        return _period(period, raw, position, context)
    units, sides = [key for key in raw if key in UNITS], [key for key in raw if key in SIDES]
    if len(raw) == 2 and len(units) == len(sides) == 1:
        day = operand_named(str(raw[sides[0]]), (*position, sides[0]), context, Type.DAY)
        length = _length(raw[units[0]], (*position, units[0]), context)
        return Window(units[0], length, sides[0], day) if day and length else None
    first, last = [key for key in ("from", "after") if key in raw], [key for key in ("up-to", "before") if key in raw]
    if len(raw) == 2 and len(first) == len(last) == 1:
        start = operand_named(str(raw[first[0]]), (*position, first[0]), context, Type.DAY)
        until = operand_named(str(raw[last[0]]), (*position, last[0]), context, Type.DAY)
        return Window(BETWEEN, None, first[0], start, until=until, until_side=last[0]) if start and until else None
    context.report(position, _WRONG)
    return None


def _period(word: str, raw: Mapping[Any, Any], position: Position, context: TypingContext) -> Window | None:
    """The calendar year, quarter, month, the week or the season of a day."""
    wanted = {"week": ("begins",), "season": ("begins", "ends")}.get(word, ())
    if set(raw) != {word, *wanted}:
        also = f" needs {' and '.join(f'`{key}`' for key in wanted)} beside it" if wanted else " stands alone"
        context.report(position, f"`{word}`{also}: {PERIODS[word]}")
        return None
    day = operand_named(str(raw[word]), (*position, word), context, Type.DAY)
    places: list[int] = []
    for key in wanted:
        found = WEEKDAYS.get(str(raw[key])) if word == "week" else _day_of_year(str(raw[key]))
        if found is None:
            form = f"one of: {', '.join(WEEKDAYS)}" if word == "week" else "a month and a day, such as 08-01"
            context.report((*position, key), f"needs {form}")
            return None
        places.append(found)
    begins, ends = (*places, 0, 0)[:2]
    return Window(word, None, "either", day, begins, ends) if day else None


def _day_of_year(text: str) -> int | None:
    """Month x 100 + day of 08-01; None: there is no such day in any year."""
    found = _DAY_OF_YEAR.fullmatch(text)
    day = iso_day(f"2024-{text}") if found else None
    return day.month * 100 + day.day if day else None


def _length(raw: object, position: Position, context: TypingContext) -> Operand | None:
    text = str(raw)
    if text.isascii() and text.isdigit() and len(text) < 6:
        return Constant(int(text), Type.NUMBER)
    found = resolve(text, context.frame)
    if found is None or found.field.type not in (Type.NUMBER, Type.DECIMAL):
        context.report(position, f"needs a whole number, or the name of one; {unknown_name(text, context.frame)}")
        return None
    return found.operand
