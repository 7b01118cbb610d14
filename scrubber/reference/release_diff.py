"""Compares two releases of a table: the rows that one adds, deletes and changes against the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

from scrubber.reference.releases import Backend, Release
from scrubber.reference.storage.packer import (
    NOT_COMPARED,
    ROWS_PER_STEP,
    LoadProgress,
    compared_cells,
    no_progress,
    row_name,
)
from scrubber.reference.tables import Table

RowKey = tuple[Any, ...]
Rows = tuple[Any, ...]


class ReleaseChange(NamedTuple):
    """One difference between two releases: the cells that name the row, and its rows in each release."""

    change: Literal["added", "deleted", "changed"]
    table: str
    key: RowKey
    before: Rows
    after: Rows


def difference(
    backend: Backend,
    table: Table[Any],
    before: Release | None,
    after: Release | None,
    progress: LoadProgress = no_progress,
) -> Iterator[ReleaseChange]:
    """What `after` adds to, deletes from and changes in `before`, in the order of the keys; None: no rows.

    Only rows count that have not ended: those without a last day, or with one after the release's first day. So a code
    that stays in the file with its deletion date is deleted. `progress` is called for the rows of both.
    """
    count = _RowProgress(sum(release.rows for release in (before, after) if release), progress)
    sides = (_rows_not_over(backend, table, release, count) for release in (before, after))
    for one, other in _side_by_side(*sides):
        if one != other:
            yield from _changes(table, _by_name(table, one), _by_name(table, other))


class _RowProgress:
    """Counts the rows read so far, of `total`, and reports them."""

    def __init__(self, total: int, progress: LoadProgress) -> None:
        self._total = total
        self._progress = progress
        self._rows = self._reported = 0

    def add(self, rows: int) -> None:
        """Count rows, and report every ROWS_PER_STEP of them."""
        self._rows += rows
        if self._rows - self._reported >= ROWS_PER_STEP:
            self._reported = self._rows
            self._progress(self._rows, min(self._rows / self._total, 1.0) if self._total else 0.0)


def _rows_not_over(
    backend: Backend, table: Table[Any], release: Release | None, count: _RowProgress
) -> Iterator[tuple[str, Rows]]:
    if release is None:
        return
    for key, rows in backend.every(table, release.sha256):
        count.add(len(rows))
        yield key, tuple(row for row in rows if not _is_over(row, release.since))


def _is_over(row: Any, since: date | None) -> bool:
    # `deleted` is tested first: a property for each of millions of rows would cost a second.
    if getattr(row, "deleted", row.until) is None:
        return False
    return since is None or row.until <= since


def _side_by_side(one: Iterator[tuple[str, Rows]], other: Iterator[tuple[str, Rows]]) -> Iterator[tuple[Rows, Rows]]:
    """Rows of the same key of two sequences in the order of their keys."""
    left, right = next(one, None), next(other, None)
    while left or right:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None  # noqa: S101
            yield left[1], ()
            left = next(one, None)
        elif left is None or right[0] < left[0]:
            yield (), right[1]
            right = next(other, None)
        else:
            yield left[1], right[1]
            left, right = next(one, None), next(other, None)


def _by_name(table: Table[Any], rows: Iterable[Any]) -> Mapping[RowKey, Rows]:
    by_name: dict[RowKey, Rows] = {}
    for row in rows:
        name = row_name(table, row)
        by_name[name] = (*by_name.get(name, ()), row)
    return by_name


def _changes(table: Table[Any], before: Mapping[RowKey, Rows], after: Mapping[RowKey, Rows]) -> Iterator[ReleaseChange]:
    for key in sorted(before.keys() | after.keys(), key=str):
        old, new = before.get(key, ()), after.get(key, ())
        if not old:
            yield ReleaseChange("added", table.name, key, old, new)
        elif not new:
            yield ReleaseChange("deleted", table.name, key, old, new)
        elif _compared(old) != _compared(new):
            yield ReleaseChange("changed", table.name, key, old, new)


def _compared(rows: Rows) -> list[tuple[Any, ...]]:
    return [compared_cells(row) for row in rows]


def cells_changed(changed: ReleaseChange) -> Iterator[tuple[str, str, str]]:
    """The columns in which the rows of a change differ, each with its text before and after."""
    one, other = (rows[0] if rows else None for rows in (changed.before, changed.after))
    if one is None or other is None:
        return
    for name, old, new in zip(one._fields, one, other, strict=True):
        if name not in NOT_COMPARED and old != new:
            yield name, _text(old), _text(new)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
