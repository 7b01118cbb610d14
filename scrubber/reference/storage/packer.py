"""Packs the rows of one part for a store, a little at a time, each once, and unpacks them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from scrubber.reference.rows import NEVER, PtpEdit
from scrubber.reference.storage.encoding import (
    WINDOW_BYTES,
    TextNumbers,
    Texts,
    code_number,
    code_of,
    meet,
    pack_edit,
    pack_row,
    pack_windows,
    turn,
    unpack_edits,
    unpack_lines,
)
from scrubber.reference.tables import OTHER_WAY, PTP, PTP_BY_COLUMN2, TABLES, Table, table_of

ROWS_A_STEP = 20_000  # between two calls

Progress = Callable[[int, float], None]  # rows so far, share of all that is read


def untold(_rows: int, _share: float) -> None:
    """For who does not want to know."""


NOT_COMPARED = ("source", "release")  # where a row is from
# What rows may differ in without a contradiction: CMS lists an edit that was never in force with two rationales.
NOT_DECIDING = (*NOT_COMPARED, "rationale", "since", "until", "deleted")


class Contradiction(NamedTuple):
    """Two rows with the same name and days that differ in what they say."""

    one: Any
    other: Any


class Contradicted(Exception):
    """A release contradicts itself."""

    def __init__(self, found: list[Contradiction]) -> None:
        super().__init__(f"{len(found)} rows contradict others")
        self.found = found


def kept_once(table: Table[Any], rows: Iterable[Any], contradictions: list[Contradiction]) -> list[Any]:
    """The rows, the first of those that say the same of the same days.

    Adds to `contradictions` those of one name that say different things of a day which both have.
    """
    kept: list[Any] = []
    named: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        others = named.setdefault(name_of(table, row), [])
        against = next((other for other in others if _contradict(other, row)), None)
        if against is not None:
            contradictions.append(Contradiction(against, row))
        if not any(_same_days(other, row) for other in others):
            others.append(row)
            kept.append(row)
    return kept


def _contradict(one: Any, other: Any) -> bool:
    together = _same_days(one, other) or _on_one_day(one, other)
    return together and said(one, NOT_DECIDING) != said(other, NOT_DECIDING)


def _same_days(one: Any, other: Any) -> bool:
    return bool((one.since, one.until) == (other.since, other.until))


def _on_one_day(one: Any, other: Any) -> bool:
    """Whether both answer on a day. An edit that was never in force answers on none."""
    if NEVER in (getattr(one, "indicator", None), getattr(other, "indicator", None)):
        return False
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: Any, other: Any) -> bool:
    return one.since is None or other.until is None or bool(one.since < other.until)


def name_of(table: Table[Any], row: Any) -> tuple[Any, ...]:
    """The cells that tell a row of a table apart from others."""
    return tuple(getattr(row, column) for column in table.unique)


def said(row: Any, but: tuple[str, ...] = NOT_COMPARED) -> tuple[Any, ...]:
    """What a row says in all its columns but some, which are those that tell where it is from."""
    return tuple(cell for name, cell in zip(row._fields, row, strict=True) if name not in but)


ROWS_HELD = 100_000  # rows that wait to be put behind those of their key

Packed = Iterable[tuple[str, bytes]]


class Sink(Protocol):
    """Where packed rows go. What is put under a key goes behind what is there."""

    def append(self, table: str, packed: Packed) -> None:
        """Keep the bytes of each key."""

    def texts(self, texts: Iterable[tuple[int, str]]) -> None:
        """Keep the shared texts by number."""

    def of_several(self, table: str) -> Packed:
        """The bytes of each key that has more than one line, of a table whose rows are lines."""

    def replace(self, table: str, packed: Packed) -> None:
        """Keep these bytes of each key, in place of what is there."""


class Packer:
    """Takes the rows of one part one by one, of any tables; call `finish` after the last.

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
        """Take a row. Raises ValueError, with what is expected, for one that the layout has no room for."""
        if isinstance(row, PtpEdit):
            self._add_edit(row)
        else:
            self._add(row)

    def finish(self) -> None:
        """Write what is left, of rows that say the same only the first.

        Raises Contradicted when two rows of one name say different things of a day that both have.
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

    def _put_edits(self, texts: Texts, found: list[Contradiction]) -> None:
        turned: dict[int, array[int]] = {}
        self._sink.append(PTP.name, self._windows(texts, found, turned))
        by_column2 = ((code_of(number), pack_windows(windows)) for number, windows in sorted(turned.items()))
        self._sink.append(PTP_BY_COLUMN2.name, by_column2)

    def _windows(self, texts: Texts, found: list[Contradiction], turned: dict[int, array[int]]) -> Packed:
        """The windows of each column 1 code. They go over into `turned`, so that memory does not hold them twice."""
        for code in sorted(self._edits):
            windows = self._edits.pop(code)
            packed = pack_windows(windows)
            if meet(windows):
                kept_once(PTP, unpack_edits(code, packed, texts), found)
            self.counts[PTP.name] -= len(windows) - len(packed) // WINDOW_BYTES
            turn(code, windows, turned)
            yield code, packed

    def _drop_repeats(self, table: Table[Any], texts: Texts, found: list[Contradiction]) -> None:
        """Keep no row twice."""
        changed, fewer = self._without_repeats(table, texts, found)
        self._sink.replace(table.name, changed)
        self.counts[table.name] -= fewer
        if table.name in OTHER_WAY:
            other = OTHER_WAY[table.name]
            self._sink.replace(other.name, self._without_repeats(other, texts, [])[0])

    def _without_repeats(
        self, table: Table[Any], texts: Texts, found: list[Contradiction]
    ) -> tuple[list[tuple[str, bytes]], int]:
        """What must be replaced so that no row is there twice, and how many rows fewer that are."""
        changed: list[tuple[str, bytes]] = []
        fewer = 0
        for key, packed in self._sink.of_several(table.name):
            rows = unpack_lines(table.row_type, packed, texts)
            kept = kept_once(table, rows, found)
            if len(kept) < len(rows):
                lines = bytearray().join(pack_row(row, self._texts) for row in kept)
                changed.append((key, bytes(lines)))  # a copy: what orjson gives holds on to kilobytes
                fewer += len(rows) - len(kept)
        return changed, fewer

    def _add_edit(self, edit: PtpEdit) -> None:
        windows = self._edits.get(edit.column1)
        if windows is None:
            code_number(edit.column1)  # raises
            windows = self._edits[edit.column1] = array("Q")
        windows.append(pack_edit(edit, self._texts))
        self.counts[PTP.name] += 1

    def _add(self, row: NamedTuple) -> None:
        table = table_of(type(row))
        packed = pack_row(row, self._texts)
        self._hold(table, row, packed)
        if table.name in OTHER_WAY:
            self._hold(OTHER_WAY[table.name], row, packed)
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


def unpack_rows(table: Table[Any], key: str, packed: bytes, texts: Texts) -> tuple[Any, ...]:
    """The rows that lie under a key, as they were packed."""
    if table is PTP:
        return unpack_edits(key, packed, texts)
    return unpack_lines(table.row_type, packed, texts)
