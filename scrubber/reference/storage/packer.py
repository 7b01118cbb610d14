"""Encodes the rows of one release for a storage, in batches and without repeats, and decodes them again."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from scrubber.reference.rows import NEVER, PtpEdit
from scrubber.reference.storage.encoding import (
    WINDOW_BYTES,
    SharedTexts,
    TextNumbers,
    add_by_column2,
    code_number,
    code_of,
    pack_edit,
    pack_row,
    pack_windows,
    unpack_edits,
    unpack_lines,
    windows_overlap,
)
from scrubber.reference.tables import PTP, PTP_BY_COLUMN2, SECOND_KEYS, TABLES, Table, table_of

ROWS_PER_STEP = 20_000  # between two calls of a progress callback

LoadProgress = Callable[[int, float], None]  # rows so far, share of all that is read


def no_progress(_rows: int, _share: float) -> None:
    """A callback that ignores progress."""


NOT_COMPARED = ("source", "release")  # columns that state the origin of a row, not its content
# What rows may differ in without a contradiction: CMS lists an edit that was never in force with two rationales.
NOT_DECIDING = (*NOT_COMPARED, "rationale", "since", "until", "deleted")


class Contradiction(NamedTuple):
    """Two rows with the same name and days whose other cells differ."""

    one: Any
    other: Any


class Contradicted(Exception):
    """A release contradicts itself."""

    def __init__(self, found: list[Contradiction]) -> None:
        super().__init__(f"{len(found)} rows contradict others")
        self.found = found


def distinct_rows(table: Table[Any], rows: Iterable[Any], contradictions: list[Contradiction]) -> list[Any]:
    """The rows without repeats: of rows with the same name, days and content, the first.

    Adds to `contradictions` rows with the same name whose content differs though they have a day in common.
    """
    distinct: list[Any] = []
    by_name: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        others = by_name.setdefault(row_name(table, row), [])
        against = next((other for other in others if _contradict(other, row)), None)
        if against is not None:
            contradictions.append(Contradiction(against, row))
        if not any(_same_days(other, row) for other in others):
            others.append(row)
            distinct.append(row)
    return distinct


def _contradict(one: Any, other: Any) -> bool:
    together = _same_days(one, other) or _on_one_day(one, other)
    return together and compared_cells(one, NOT_DECIDING) != compared_cells(other, NOT_DECIDING)


def _same_days(one: Any, other: Any) -> bool:
    return bool((one.since, one.until) == (other.since, other.until))


def _on_one_day(one: Any, other: Any) -> bool:
    """Whether both are in force on one day. An edit with indicator 9 never is."""
    if NEVER in (getattr(one, "indicator", None), getattr(other, "indicator", None)):
        return False
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: Any, other: Any) -> bool:
    return one.since is None or other.until is None or bool(one.since < other.until)


def row_name(table: Table[Any], row: Any) -> tuple[Any, ...]:
    """The cells that tell a row of a table apart from others."""
    return tuple(getattr(row, column) for column in table.unique)


def compared_cells(row: Any, but: tuple[str, ...] = NOT_COMPARED) -> tuple[Any, ...]:
    """The cells of a row except those of some columns, by default those that state its origin."""
    return tuple(cell for name, cell in zip(row._fields, row, strict=True) if name not in but)


ROWS_HELD = 100_000  # rows that wait in memory before they are appended to those of their key

PackedRows = Iterable[tuple[str, bytes]]


class Sink(Protocol):
    """Writes the encoded rows of a new segment."""

    def append(self, table: str, packed: PackedRows) -> None:
        """Append the bytes of each key to those already under it."""

    def texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """Store the shared texts by number."""

    def with_several_rows(self, table: str) -> PackedRows:
        """The bytes of each key that has more than one row, of a table whose rows are lines of JSON."""

    def replace(self, table: str, packed: PackedRows) -> None:
        """Store these bytes for each key, in place of those already under it."""


class Packer:
    """Takes the rows of one release one by one, of any tables; call `finish` after the last.

    Memory holds ROWS_HELD rows, and PTP windows at eight bytes each.
    """

    def __init__(self, sink: Sink) -> None:
        self.counts: Counter[str] = Counter()
        self._sink = sink
        self._texts = TextNumbers()
        self._held: dict[str, dict[str, bytearray]] = {}
        self._rows_held = 0
        self._edits: dict[str, array[int]] = {}

    def add(self, row: NamedTuple) -> None:
        """Take a row. Raises ValueError, with what is expected, for one that the encoding cannot hold."""
        if isinstance(row, PtpEdit):
            self._add_edit(row)
        else:
            self._add(row)

    def finish(self) -> None:
        """Write what is left in memory, and drop repeated rows.

        Raises Contradicted when rows with the same name differ though they have a day in common.
        """
        self._flush()
        found: list[Contradiction] = []
        texts = {number: text for text, number in self._texts.numbers.items()}
        if self._edits:
            self._put_edits(texts, found)
        for name in self.counts:
            if name != PTP.name:
                self._drop_repeats(TABLES[name], texts, found)
        self._sink.texts(texts.items())
        if found:
            raise Contradicted(found)

    def _put_edits(self, texts: SharedTexts, found: list[Contradiction]) -> None:
        by_column2: dict[int, array[int]] = {}
        self._sink.append(PTP.name, self._windows(texts, found, by_column2))
        in_order = ((code_of(number), pack_windows(windows)) for number, windows in sorted(by_column2.items()))
        self._sink.append(PTP_BY_COLUMN2.name, in_order)

    def _windows(self, texts: SharedTexts, found: list[Contradiction], by_column2: dict[int, array[int]]) -> PackedRows:
        """The windows of each column 1 code; they move to `by_column2`, so that memory does not hold them twice."""
        for code in sorted(self._edits):
            windows = self._edits.pop(code)
            packed = pack_windows(windows)
            if windows_overlap(windows):
                distinct_rows(PTP, unpack_edits(code, packed, texts), found)
            self.counts[PTP.name] -= len(windows) - len(packed) // WINDOW_BYTES
            add_by_column2(code, windows, by_column2)
            yield code, packed

    def _drop_repeats(self, table: Table[Any], texts: SharedTexts, found: list[Contradiction]) -> None:
        """Replace the rows of keys under which a row is repeated."""
        changed, fewer = self._without_repeats(table, texts, found)
        self._sink.replace(table.name, changed)
        self.counts[table.name] -= fewer
        if table.name in SECOND_KEYS:
            other = SECOND_KEYS[table.name]
            self._sink.replace(other.name, self._without_repeats(other, texts, [])[0])

    def _without_repeats(
        self, table: Table[Any], texts: SharedTexts, found: list[Contradiction]
    ) -> tuple[list[tuple[str, bytes]], int]:
        """The bytes by key that hold no row twice, for keys that did, and by how many rows these are fewer."""
        changed: list[tuple[str, bytes]] = []
        fewer = 0
        for key, packed in self._sink.with_several_rows(table.name):
            rows = unpack_lines(table.row_type, packed, texts)
            distinct = distinct_rows(table, rows, found)
            if len(distinct) < len(rows):
                lines = bytearray().join(pack_row(row, self._texts) for row in distinct)
                changed.append((key, bytes(lines)))  # a copy: the bytes that orjson returns occupy kilobytes
                fewer += len(rows) - len(distinct)
        return changed, fewer

    def _add_edit(self, edit: PtpEdit) -> None:
        windows = self._edits.get(edit.column1)
        if windows is None:
            code_number(edit.column1)  # raises ValueError for what is no code
            windows = self._edits[edit.column1] = array("Q")
        windows.append(pack_edit(edit, self._texts))
        self.counts[PTP.name] += 1

    def _add(self, row: NamedTuple) -> None:
        table = table_of(type(row))
        packed = pack_row(row, self._texts)
        self._hold(table, row, packed)
        if table.name in SECOND_KEYS:
            self._hold(SECOND_KEYS[table.name], row, packed)
        self.counts[table.name] += 1
        self._rows_held += 1
        if self._rows_held >= ROWS_HELD:
            self._flush()

    def _hold(self, table: Table[Any], row: NamedTuple, packed: bytes) -> None:
        self._held.setdefault(table.name, {}).setdefault(table.key(row), bytearray()).extend(packed)

    def _flush(self) -> None:
        for table, keys in self._held.items():
            self._sink.append(table, ((key, bytes(packed)) for key, packed in keys.items()))
        self._held.clear()
        self._rows_held = 0


def unpack_rows(table: Table[Any], key: str, packed: bytes, texts: SharedTexts) -> tuple[Any, ...]:
    """The rows stored under a key, in the order in which they were added."""
    if table is PTP:
        return unpack_edits(key, packed, texts)
    return unpack_lines(table.row_type, packed, texts)
