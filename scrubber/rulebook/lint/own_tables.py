"""Lints tables that packs declare: gaps between rows, rows that can never answer, tables that nothing looks up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from scrubber.errors import Fault
from scrubber.rulebook.table_declaration import ALL, Column
from scrubber.rulebook.table_index import HAS_NONE
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.yaml_file import Document

MOST_WARNINGS = 20  # of one kind, of one table
MOST_CODES = 1_000  # of a range whose codes are held against other rows


def own_table_warnings(tables: Iterable[TypedTable], documents: Iterable[Document]) -> Iterator[Fault]:
    """What a reviewer should look at in these tables. `documents` are all that may look something up in them."""
    used = {text for document in documents for text in _texts(document.content)}
    for table in tables:
        if table.name not in used:
            message = f"no rule looks anything up in `{table.name}`: correct the name, or take the table out"
            yield Fault(table.file, 0, message)
        for warnings in (_gaps(table), _never_answering(table)):
            yield from _first_ones(table, list(warnings))


def _first_ones(table: TypedTable, warnings: Sequence[Fault]) -> Iterator[Fault]:
    yield from warnings[:MOST_WARNINGS]
    if len(warnings) > MOST_WARNINGS:
        yield Fault(table.file, warnings[-1].line, f"and {len(warnings) - MOST_WARNINGS:,} more like it")


def _texts(content: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for below in content.values():
            yield from _texts(below)
    elif isinstance(content, list):
        for below in content:
            yield from _texts(below)


def _gaps(table: TypedTable) -> Iterator[Fault]:
    """Days between rows of the same keys on which none of them is in force. Where all answer, a row may come and go."""
    if table.answers == ALL:
        return
    for numbers in _alike(table, ()).values():
        ordered = sorted(numbers, key=table.first_day)
        for earlier, later in pairwise(ordered):
            one, other = table.stored[earlier], table.stored[later]
            if one.until and other.since and one.until < other.since:
                yield Fault(
                    table.file,
                    other.line,
                    f"no row of these keys answers from {one.until} to the day before {other.since}: line {one.line} "
                    "ends too early, or this one begins too late",
                )


def _alike(table: TypedTable, but: Sequence[str]) -> dict[tuple[Any, ...], list[int]]:
    """The positions of rows by the cells of their keys, but for the columns `but`."""
    names = [name for key in table.declaration.keys for name in _columns_of(key) if name not in but]
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number in range(len(table.stored)):
        found[tuple(table.cell(number, name) for name in names)].append(number)
    return found


def _columns_of(key: Column) -> tuple[str, ...]:
    names = (key.first, key.last) if key.band else (key.name, key.through)
    return tuple(name for name in names if name is not None)


def _never_answering(table: TypedTable) -> Iterator[Fault]:
    """Rows that others, more specific ones, answer for on each of their days."""
    if table.answers == ALL:
        return
    for key in table.declaration.keys:
        if key.band or key.several or not (key.field.words or key.through):
            continue
        for numbers in _alike(table, _columns_of(key)).values():
            if len(numbers) > 1:
                yield from _covered(table, key, numbers)


def _covered(table: TypedTable, key: Column, numbers: Sequence[int]) -> Iterator[Fault]:
    """Of rows that differ in one key only: those for whose every value there is a row of its own."""
    exact: dict[Any, list[int]] = defaultdict(list)
    for number in numbers:
        if not _is_range(table, key, number) and table.cell(number, key.name) not in (None, HAS_NONE):
            exact[table.cell(number, key.name)].append(number)
    for number in numbers:
        values = _values_of(table, key, number)
        if values and all(_always(table, number, exact.get(value, ())) for value in values):
            lines = sorted({table.stored[other].line for value in values for other in exact[value]})
            ranged = _is_range(table, key, number)
            message = (
                f"never answers: there are rows for each code from {values[0]} to {values[-1]}"
                if ranged
                else f"answers only where there is no `{key.name}`: there are rows for each of its words"
            )
            others = f"{', '.join(map(str, lines[:5]))}{' …' if len(lines) > 5 else ''}"
            yield Fault(table.file, table.stored[number].line, f"{message} (lines {others})")


def _is_range(table: TypedTable, key: Column, number: int) -> bool:
    return key.through is not None and table.cell(number, key.through) is not None


def _values_of(table: TypedTable, key: Column, number: int) -> tuple[str, ...]:
    """All values that a row is for, where they can be listed: codes of a range, or words where the cell is blank."""
    if _is_range(table, key, number):
        return _codes(*table.interval(number, key))
    return key.field.words if table.cell(number, key.name) is None else ()


def _codes(low: str, high: str) -> tuple[str, ...]:
    """The codes of a range whose ends differ in digits only; none where there are too many."""
    letter = low[-1:] if low[-1:].isalpha() else ""
    first, last = low.removesuffix(letter), high.removesuffix(letter)
    head = first.rstrip("0123456789")
    digits = first[len(head) :]
    if not last.startswith(head) or not last[len(head) :].isdecimal() or not digits:
        return ()
    count = int(last[len(head) :]) - int(digits) + 1
    if count > MOST_CODES:
        return ()
    return tuple(f"{head}{int(digits) + step:0{len(digits)}}{letter}" for step in range(count))


def _always(table: TypedTable, number: int, others: Iterable[int]) -> bool:
    """Whether on each day of a row one of the others is in force."""
    day = table.first_day(number)
    for other in sorted(others, key=table.first_day):
        if table.first_day(other) > day:
            return False
        day = max(day, table.end(other))
    return day >= table.end(number)
