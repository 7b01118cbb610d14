"""Before any claim: packs the rows of one part, a little at a time, for a place that keeps them; and unpacks them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from scrubber.reference.catalogue import OTHER_WAY, PTP, PTP_BY_COLUMN2, TABLES, Table, table_of
from scrubber.reference.edit_rows import PtpEdit
from scrubber.reference.once import Contradicted, Contradiction, kept_once
from scrubber.reference.packing import TextNumbers, Texts, pack_row, unpack_lines
from scrubber.reference.ptp_packing import (
    WINDOW_BYTES,
    code_number,
    code_of,
    meet,
    pack_edit,
    pack_windows,
    turn,
    unpack_edits,
)

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
